"""Key files: only the passphrase opens them, only the owner reads them, and nothing is ever written over."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys

import pytest
from support.worlds.registries.registry_world import ALICE, BOB

from deedlog.registry import keystore
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.hexadecimal import to_checksum
from deedlog.registry.keccak import keccak256
from deedlog.registry.keystore import new_key, read, write
from deedlog.registry.passphrases import read_passphrase
from deedlog.registry.statements.signatures import ORDER, account_of_private_key

QUICK = 2
"""scrypt's n where its cost is not the point."""

PASSPHRASES = ["correct horse battery staple", "正确的马 电池 订书钉", "", "\U0001f511" * 20, " x\n", "é"]


def refusal(error, call, *arguments):
    with pytest.raises(error) as caught:
        call(*arguments)
    return caught.value


@pytest.fixture
def kept(tmp_path):
    """Alice's key in a file, under "passphrase"."""
    path = tmp_path / "alice.json"
    write(path, ALICE, "passphrase", QUICK)
    return path


def edit(path, change):
    """Change the JSON of a key file."""
    value = json.loads(path.read_text(encoding="utf-8"))
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")


@pytest.mark.parametrize("passphrase", PASSPHRASES)
def test_a_key_comes_back_by_its_passphrase_alone(tmp_path, passphrase):
    path = tmp_path / "key.json"
    assert write(path, ALICE, passphrase, QUICK) == account_of_private_key(ALICE)
    assert read(path, passphrase) == ALICE
    assert keystore.account(path) == account_of_private_key(ALICE)
    for other in (passphrase + " ", passphrase[:-1] + "x", passphrase.upper() + "?"):
        error = refusal(InvalidData, read, path, other)
        assert (error.code, error.params) == ("key.wrong_passphrase", {"path": str(path)})


def test_the_cost_of_a_guess_is_as_stated(tmp_path):
    write(tmp_path / "key.json", ALICE, "passphrase")
    crypto = json.loads((tmp_path / "key.json").read_text())["crypto"]
    assert (crypto["kdf"], crypto["cipher"]) == ("scrypt", "aes-128-ctr")
    parameters = {name: value for name, value in crypto["kdfparams"].items() if name != "salt"}
    assert parameters == {"n": 2**17, "r": 8, "p": 1, "dklen": 32}
    assert read(tmp_path / "key.json", "passphrase") == ALICE


PASSPHRASE_FORMS = {
    "é": ["e\u0301", "é"],
    "ﬁne": ["fine"],
    "ｐａｓｓ": ["pass"],
    "Å": ["Å", "A\u030a"],
}


@pytest.mark.parametrize("made", PASSPHRASE_FORMS)
def test_a_passphrase_may_be_typed_in_any_of_its_unicode_forms(tmp_path, made):
    write(tmp_path / "key.json", ALICE, made, QUICK)
    for typed in (made, *PASSPHRASE_FORMS[made]):
        assert read(tmp_path / "key.json", typed) == ALICE
    assert refusal(InvalidData, read, tmp_path / "key.json", made + "x").code == "key.wrong_passphrase"


def test_a_passphrase_that_is_not_text_is_named(tmp_path, kept):
    typed = b"\xff".decode("utf-8", "surrogateescape")
    assert refusal(InvalidData, write, tmp_path / "new.json", ALICE, typed, QUICK).code == "key.passphrase_typed"
    assert refusal(InvalidData, read, kept, typed).code == "key.passphrase_typed"
    assert not (tmp_path / "new.json").exists()


@pytest.mark.parametrize(
    ("data", "passphrase"),
    [
        (b"secret", "secret"),
        (b"secret\r\n", "secret"),
        ("\ufeff密码\n".encode(), "密码"),
        (b"\xef\xbb\xbf", ""),
        (b" a \n", " a "),
    ],
)
def test_the_passphrase_of_a_file(tmp_path, data, passphrase):
    (tmp_path / "passphrase").write_bytes(data)
    assert read_passphrase(tmp_path / "passphrase") == passphrase


PASSPHRASE_OF = (
    "import pathlib, sys; from deedlog.registry.passphrases import read_passphrase\n"
    "print(read_passphrase(pathlib.Path(sys.argv[1])))"
)


@pytest.mark.parametrize(
    "script", ['"$0" -c "$1" <(sleep 0.1; echo secret)', 'echo secret | "$0" -c "$1" /dev/stdin'], ids=["<(…)", "stdin"]
)
def test_the_passphrase_of_a_pipe(script):
    done = subprocess.run(["bash", "-c", script, sys.executable, PASSPHRASE_OF], capture_output=True, check=True)
    assert done.stdout == b"secret\n"


@pytest.mark.parametrize("data", [b"\xff\xfes\0", b"\xff"])
def test_a_passphrase_file_in_another_encoding_is_named(tmp_path, data):
    (tmp_path / "passphrase").write_bytes(data)
    assert refusal(InvalidData, read_passphrase, tmp_path / "passphrase").code == "key.passphrase_encoding"


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_only_the_owner_reads_a_key_file(tmp_path, umask):
    before = os.umask(umask)
    try:
        write(tmp_path / "key.json", ALICE, "passphrase", QUICK)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key.json").stat().st_mode) == 0o600


def test_a_missing_folder_is_named_and_not_made(tmp_path):
    path = tmp_path / "not mounted" / "key.json"
    error = refusal(Unavailable, write, path, ALICE, "passphrase", QUICK)
    assert (error.code, error.params) == ("file.no_folder", {"path": str(path), "folder": str(path.parent)})
    assert list(tmp_path.iterdir()) == []


def test_a_key_file_is_never_written_over(kept):
    before = kept.read_bytes()
    error = refusal(Unavailable, write, kept, BOB, "another", QUICK)
    assert (error.code, error.params) == ("file.exists", {"path": str(kept)})
    assert kept.read_bytes() == before


def test_the_key_does_not_stand_in_the_file(kept):
    text = kept.read_text().lower()
    assert ALICE.hex() not in text
    assert "passphrase" not in text


def test_a_missing_file_is_unreadable(tmp_path):
    error = refusal(Unavailable, read, tmp_path / "none", "x")
    assert (error.code, error.params["reason"]) == ("file.unreadable", "No such file or directory")
    assert refusal(Unavailable, keystore.account, tmp_path / "none").code == "file.unreadable"


def test_a_damaged_counter_is_noticed(kept):
    # The file's MAC does not cover it: it would open as the key of another account.
    edit(kept, lambda value: value["crypto"]["cipherparams"].update(iv="00" * 16))
    assert refusal(InvalidData, read, kept, "passphrase").code == "key.other_account"


def test_a_file_that_names_another_account_is_noticed(kept):
    edit(kept, lambda value: value.update(address=account_of_private_key(BOB).hex()))
    error = refusal(InvalidData, read, kept, "passphrase")
    assert error.code == "key.other_account"
    assert error.params == {
        "path": str(kept),
        "named": to_checksum(account_of_private_key(BOB)),
        "found": to_checksum(account_of_private_key(ALICE)),
    }


@pytest.mark.parametrize("change", [lambda value: value.pop("address"), lambda value: value.update(address=None)])
def test_a_file_need_not_name_its_account(kept, change):
    edit(kept, change)
    assert read(kept, "passphrase") == ALICE
    assert keystore.account(kept) is None


@pytest.mark.parametrize("address", ["xyz", "0x12", "00" * 21, 7, ["00" * 20]])
def test_what_is_no_account_is_refused(kept, address):
    edit(kept, lambda value: value.update(address=address))
    assert refusal(InvalidData, read, kept, "passphrase").code == "key.not_a_keystore"
    assert refusal(InvalidData, keystore.account, kept).code == "key.not_a_keystore"


def parameters(**values):
    return lambda value: value["crypto"]["kdfparams"].update(values)


def pbkdf2(**values):
    good = {"salt": "00", "dklen": 32, "prf": "hmac-sha256", "c": 1}
    return lambda value: value["crypto"].update(kdf="pbkdf2", kdfparams=good | values)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.clear(),
        lambda value: value.pop("version"),
        lambda value: value.update(crypto="x"),
        lambda value: value.update(crypto=[]),
        lambda value: value["crypto"].update(ciphertext=7),
        lambda value: value["crypto"].update(ciphertext=""),
        lambda value: value["crypto"].update(ciphertext="00" * 33),
        lambda value: value["crypto"].update(ciphertext="0"),
        lambda value: value["crypto"].update(cipherparams={"iv": "00" * 17}),
        lambda value: value["crypto"].pop("cipherparams"),
        lambda value: value["crypto"].pop("mac"),
        lambda value: value["crypto"].pop("kdf"),
        lambda value: value["crypto"].pop("kdfparams"),
        parameters(n="2"),
        parameters(n=2.5),
        parameters(n=True),
        parameters(salt=5),
        parameters(dklen=16),
        parameters(dklen=-1),
        pbkdf2(dklen=2**70),
        pbkdf2(c=None),
    ],
)
def test_a_malformed_file_is_refused_by_one_error(kept, change):
    edit(kept, change)
    assert refusal(InvalidData, read, kept, "passphrase").code == "key.not_a_keystore"


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        (lambda value: value.update(version=2), "version", "2"),
        (lambda value: value.update(version=4), "version", "4"),
        (lambda value: value.update(version="x" * 1000), "version", '"' + "x" * 39),
        (lambda value: value["crypto"].update(kdf="argon2"), "kdf", '"argon2"'),
        (lambda value: value["crypto"].update(kdf="长\x1b[31m"), "kdf", '"\\u957f\\u001b[31m"'),
        (lambda value: value["crypto"].update(cipher="aes-256-gcm"), "cipher", '"aes-256-gcm"'),
        (pbkdf2(prf="hmac-sha512"), "prf", '"hmac-sha512"'),
        (pbkdf2(prf=1), "prf", "1"),
        (parameters(n=2**16, r=1), "scrypt", "n=65536, r=1"),
    ],
)
def test_what_is_not_read_here_is_named(kept, change, name, value):
    edit(kept, change)
    error = refusal(InvalidData, read, kept, "passphrase")
    assert (error.code, error.params) == ("key.unsupported", {"path": str(kept), "name": name, "value": value})


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        (parameters(n=0), "n", "0"),
        (parameters(n=1), "n", "1"),
        (parameters(n=1000), "n", "1000"),
        (parameters(n=-2), "n", "-2"),
        (parameters(r=0), "r", "0"),
        (parameters(p=0), "p", "0"),
        (parameters(p=-1), "p", "-1"),
        (pbkdf2(c=0), "c", "0"),
        (pbkdf2(c=-1), "c", "-1"),
    ],
)
def test_a_cost_that_cannot_be_is_no_wrong_passphrase(kept, change, name, value):
    edit(kept, change)
    error = refusal(InvalidData, read, kept, "passphrase")
    assert (error.code, error.params) == ("key.bad_cost", {"path": str(kept), "name": name, "value": value})


@pytest.mark.parametrize(
    "change",
    [
        parameters(p=2**24),
        parameters(r=2**24),
        parameters(n=2**21),
        parameters(n=2**1000),
        parameters(n=2, r=2**1000),
        pbkdf2(c=2**31 - 1),
        pbkdf2(c=2**24, dklen=128),
    ],
)
def test_what_costs_more_than_any_wallet_asks_for_is_not_begun(kept, change, monkeypatch):
    edit(kept, change)
    monkeypatch.setattr(keystore, "Scrypt", None)  # it would fail otherwise
    monkeypatch.setattr(keystore, "PBKDF2HMAC", None)
    assert refusal(InvalidData, read, kept, "passphrase").code == "key.too_costly"


def test_what_wallets_ask_for_is_within_the_bounds(kept):
    for n, r, p in ((2**18, 8, 1), (2**12, 8, 6), (2**20, 8, 1), (8, 8, 16)):
        keystore._Scrypt(b"", 32, n, r, p).check(kept)
    for c in (10240, 262144, 1_000_000, 10_000_000):
        keystore._Pbkdf2(b"", 32, c).check(kept)


def test_too_little_memory_is_no_wrong_passphrase(kept):
    edit(kept, parameters(n=2**20))  # 1 GiB
    program = (
        "import pathlib, resource, sys; from deedlog.registry import keystore\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))\n"
        "keystore.read(pathlib.Path(sys.argv[1]), 'passphrase')"
    )
    done = subprocess.run([sys.executable, "-c", program, kept], capture_output=True, text=True, check=False)
    assert "key.no_memory" in done.stderr


def test_a_derived_key_may_be_longer_than_it_is_used(kept):
    for length in (33, 64, 128):
        derived = hashlib.scrypt(b"passphrase", salt=b"salt", n=2, r=8, p=1, dklen=length)
        ciphertext = bytes.fromhex(json.loads(kept.read_text())["crypto"]["ciphertext"])
        mac = keccak256(derived[16:32] + ciphertext).hex()
        edit(kept, lambda value: value["crypto"].update(mac=mac))  # noqa: B023 - called at once
        edit(kept, lambda value: value.pop("address", None))
        edit(kept, parameters(n=2, r=8, p=1, dklen=length, salt=b"salt".hex()))
        assert len(read(kept, "passphrase")) == 32


@pytest.mark.parametrize("text", ["", "x", "[]", '"x"', "1", "[" * 9000, '{"crypto": ', "\ud800"])
def test_what_is_no_json_object_is_no_key_file(tmp_path, text):
    path = tmp_path / "key.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert refusal(InvalidData, read, path, "x").code == "key.not_a_keystore"
    assert refusal(InvalidData, keystore.account, path).code == "key.not_a_keystore"


def test_a_large_file_is_not_read(tmp_path):
    (tmp_path / "key.json").write_bytes(b" " * (keystore.MAXIMUM_FILE + 1))
    assert refusal(InvalidData, read, tmp_path / "key.json", "x").code == "file.too_large"


def test_new_keys_are_keys_and_differ():
    made = {new_key() for _ in range(50)}
    assert len(made) == 50
    assert all(len(key) == 32 and 0 < int.from_bytes(key, "big") < ORDER for key in made)
