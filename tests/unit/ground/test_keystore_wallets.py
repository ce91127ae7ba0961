"""Key files and wallets: eth-account and ethers open ours, and we open theirs and those that are published."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from eth_account import Account
from support.worlds.registry_world import ALICE, BOB

from deedlog.registry.keystore import read, with_whole_iv, write

ROOT = Path(__file__).resolve().parents[3]
QUICK = 2
"""scrypt's n where its cost is not the point."""

PASSPHRASES = ["correct horse battery staple", "正确的马 电池 订书钉", "", "\U0001f511" * 20, " x\n", "é"]

# Web3 Secret Storage Definition, "Scrypt" and "PBKDF2-SHA-256": its test vectors, of one key and one passphrase.
PUBLISHED_KEY = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
PUBLISHED = {
    "pbkdf2": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "scrypt": {
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
}

IN_ETHERS = """
const { Wallet } = require("ethers");
const list = JSON.parse(require("fs").readFileSync(0, "utf8"));
const keys = list.map(([file, secret]) => Wallet.fromEncryptedJsonSync(file, secret).privateKey);
process.stdout.write(JSON.stringify(keys));
"""


@pytest.mark.parametrize("passphrase", PASSPHRASES)
def test_eth_account_opens_our_files(tmp_path, passphrase):
    write(tmp_path / "key.json", BOB, passphrase, QUICK)
    # Bytes: given text, it takes it as Latin-1.
    assert Account.decrypt((tmp_path / "key.json").read_text(encoding="utf-8"), passphrase.encode()) == BOB


def test_we_open_eth_accounts_files(tmp_path):
    for kdf, passphrase in (("scrypt", "正确的马"), ("pbkdf2", "correct horse")):
        path = tmp_path / kdf
        path.write_text(json.dumps(Account.encrypt(ALICE, passphrase.encode(), kdf, QUICK)), encoding="utf-8")
        assert read(path, passphrase) == ALICE


@pytest.mark.parametrize("kdf", PUBLISHED)
def test_the_files_that_the_definition_publishes(tmp_path, kdf):
    path = tmp_path / "key.json"
    path.write_text(json.dumps({"crypto": PUBLISHED[kdf], "version": 3}), encoding="utf-8")
    assert read(path, "testpassword").hex() == PUBLISHED_KEY
    path.write_text(json.dumps({"Crypto": PUBLISHED[kdf], "Version": 3}), encoding="utf-8")
    assert read(path, "testpassword").hex() == PUBLISHED_KEY


def test_ethers_opens_our_files(tmp_path):
    files = []
    for number, passphrase in enumerate(PASSPHRASES):
        write(tmp_path / str(number), ALICE, passphrase, QUICK)
        files.append([(tmp_path / str(number)).read_text(encoding="utf-8"), passphrase])
    node = [ROOT / ".venv/bin/node", "-e", IN_ETHERS]
    done = subprocess.run(node, input=json.dumps(files), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["0x" + ALICE.hex()] * len(files)


@pytest.mark.parametrize("iv", ["", "1", "ff" * 15, "00" * 16, "0123456789abcdef" * 2])
def test_the_counter_is_written_with_all_its_16_bytes(iv):
    shortened = {"crypto": {"cipherparams": {"iv": iv}, "mac": "x"}, "version": 3}
    whole = with_whole_iv(shortened)
    assert len(whole["crypto"]["cipherparams"]["iv"]) == 32
    assert int(whole["crypto"]["cipherparams"]["iv"], 16) == int(iv or "0", 16)
    assert (whole["crypto"]["mac"], whole["version"]) == ("x", 3)


def test_no_file_of_many_has_a_short_counter(tmp_path):
    # The library shortens one in 256.
    for number in range(300):
        write(tmp_path / str(number), ALICE, "x", QUICK)
    counters = [json.loads(path.read_text())["crypto"]["cipherparams"]["iv"] for path in tmp_path.iterdir()]
    assert {len(counter) for counter in counters} == {32}
    assert len(set(counters)) == 300
