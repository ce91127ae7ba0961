"""Key files and wallets: others open ours, and we open theirs and those that are published."""

from __future__ import annotations

import json
import subprocess
import unicodedata
from pathlib import Path

import pytest
from eth_account import Account
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json
from support.worlds.registries.registry_world import ALICE, BOB

from deedlog.registry.errors import InvalidData
from deedlog.registry.keystore import account, read, write
from deedlog.registry.statements.signatures import account_of_private_key

ROOT = Path(__file__).resolve().parents[3]
QUICK = 2
"""scrypt's n where its cost is not the point."""

PASSPHRASES = [
    *("correct horse battery staple", "正确的马 电池 订书钉", "", "\U0001f511" * 20, " x\n", "é"),
    *("e\u0301", "ﬁne", "ｐａｓｓ１２３", "\u1e9b\u0323", "한글", "Å"),
]

VECTORS = json.loads((ROOT / "tests/vectors/keystores.json").read_text("utf-8"))["files"]

IN_ETHERS = """
const { Wallet } = require("ethers");
const list = JSON.parse(require("fs").readFileSync(0, "utf8"));
const keys = list.map(([file, secret]) => Wallet.fromEncryptedJsonSync(file, secret).privateKey);
process.stdout.write(JSON.stringify(keys));
"""

BY_ETHERS = """
const { encryptKeystoreJsonSync, Wallet } = require("ethers");
const [key, secrets] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const of = { address: new Wallet(key).address, privateKey: key };
const files = secrets.map(secret => encryptKeystoreJsonSync(of, secret, { scrypt: { N: 2, r: 8, p: 1 } }));
process.stdout.write(JSON.stringify(files));
"""


def node(program, given):
    command = [ROOT / ".venv/bin/node", "-e", program]
    done = subprocess.run(command, input=json.dumps(given), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def nfkc(passphrase):
    return unicodedata.normalize("NFKC", passphrase).encode()


@pytest.mark.parametrize("number", range(len(VECTORS)), ids=lambda number: VECTORS[number]["made_by"])
def test_files_of_other_tools_are_opened(tmp_path, number):
    case = VECTORS[number]
    path = tmp_path / "key.json"
    path.write_text(json.dumps(case["file"]), encoding="utf-8")
    key = bytes.fromhex(case["key"][2:])
    assert read(path, case["passphrase"]) == key
    assert account(path) == (account_of_private_key(key) if "address" in case["file"] else None)
    for form in ("NFC", "NFD"):  # as another keyboard types it
        assert read(path, unicodedata.normalize(form, case["passphrase"])) == key
    path.write_text(json.dumps(capitals(case["file"])), encoding="utf-8")
    assert read(path, case["passphrase"]) == key


def capitals(value):
    """Write members' names and hexadecimal digits as some wallets do."""
    if isinstance(value, dict):
        return {name.capitalize(): capitals(member) for name, member in value.items()}
    if isinstance(value, str) and len(value) % 2 == 0 and set(value) <= set("0123456789abcdef"):
        return "0x" + value.upper()
    return value


# An earlier edition of the definition published this file. RFC 7914 admits no n of 2^16 and more where r is 1.
OF_2015 = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "kdf": "scrypt",
        "kdfparams": {
            "dklen": 32,
            "n": 262144,
            "r": 1,
            "p": 8,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
        },
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
    },
    "version": 3,
}


def test_a_file_of_2015_whose_scrypt_is_outside_the_standard_is_named_as_such(tmp_path):
    path = tmp_path / "key.json"
    path.write_text(json.dumps(OF_2015), encoding="utf-8")
    with pytest.raises(InvalidData) as caught:
        read(path, "testpassword")
    assert (caught.value.code, caught.value.params["value"]) == ("key.unsupported", "n=262144, r=1")


@pytest.mark.parametrize("passphrase", PASSPHRASES)
def test_eth_keyfile_and_eth_account_open_our_files(tmp_path, passphrase):
    write(tmp_path / "key.json", BOB, passphrase, QUICK)
    text = (tmp_path / "key.json").read_text(encoding="utf-8")
    # Bytes: given text, they take it as Latin-1.
    assert Account.decrypt(text, nfkc(passphrase)) == BOB
    assert decode_keyfile_json(json.loads(text), nfkc(passphrase)) == BOB


@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
@pytest.mark.parametrize("passphrase", PASSPHRASES)
def test_we_open_files_of_eth_keyfile_as_they_were_made(tmp_path, kdf, passphrase):
    path = tmp_path / "key.json"
    path.write_text(json.dumps(create_keyfile_json(ALICE, passphrase.encode(), 3, kdf, QUICK)), encoding="utf-8")
    assert read(path, passphrase) == ALICE
    assert account(path) == account_of_private_key(ALICE)


def test_eth_keyfiles_counter_without_its_leading_zeros_is_read(tmp_path):
    # It writes the counter as a number: once in 256 files it is shorter than 16 bytes.
    for _ in range(4000):
        file = create_keyfile_json(ALICE, b"x", 3, "pbkdf2", 1)
        if len(file["crypto"]["cipherparams"]["iv"]) < 32:
            break
    else:
        pytest.fail("none was short")
    path = tmp_path / "key.json"
    path.write_text(json.dumps(file), encoding="utf-8")
    assert read(path, "x") == ALICE


def test_ethers_opens_our_files(tmp_path):
    files = []
    for number, passphrase in enumerate(PASSPHRASES):
        write(tmp_path / str(number), ALICE, passphrase, QUICK)
        files.append([(tmp_path / str(number)).read_text(encoding="utf-8"), passphrase])
    assert node(IN_ETHERS, files) == ["0x" + ALICE.hex()] * len(files)


def test_we_open_files_of_ethers(tmp_path):
    path = tmp_path / "key.json"
    for passphrase, file in zip(PASSPHRASES, node(BY_ETHERS, ["0x" + ALICE.hex(), PASSPHRASES]), strict=True):
        path.write_text(file, encoding="utf-8")
        assert read(path, passphrase) == ALICE


def test_no_file_of_many_has_a_short_counter(tmp_path):
    for number in range(300):
        write(tmp_path / str(number), ALICE, "x", QUICK)
    counters = [json.loads(path.read_text())["crypto"]["cipherparams"]["iv"] for path in tmp_path.iterdir()]
    assert {len(counter) for counter in counters} == {32}
    assert len(set(counters)) == 300
