"""Key files: only the passphrase opens them, only the owner reads them, and nothing is ever written over."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.worlds.registry_world import ALICE, BOB

from deedlog.registry import keystore
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.files import write_private
from deedlog.registry.keystore import new_key, read, write
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


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_only_the_owner_reads_a_key_file(tmp_path, umask):
    before = os.umask(umask)
    try:
        write(tmp_path / "new folder" / "key.json", ALICE, "passphrase", QUICK)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new folder" / "key.json").stat().st_mode) == 0o600


def test_a_key_file_is_never_written_over(kept):
    before = kept.read_bytes()
    error = refusal(Unavailable, write, kept, BOB, "another", QUICK)
    assert (error.code, error.params) == ("file.exists", {"path": str(kept)})
    assert refusal(Unavailable, write_private, kept, b"").code == "file.exists"
    assert kept.read_bytes() == before


def test_a_link_to_nowhere_is_not_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert refusal(Unavailable, write_private, tmp_path / "link", b"x").code == "file.exists"
    assert not (tmp_path / "elsewhere").exists()


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
    assert refusal(InvalidData, read, kept, "passphrase").code == "key.not_a_keystore"


def test_a_file_that_names_another_account_is_noticed(kept):
    edit(kept, lambda value: value.update(address=account_of_private_key(BOB).hex()))
    assert refusal(InvalidData, read, kept, "passphrase").code == "key.not_a_keystore"


def test_a_file_need_not_name_its_account(kept):
    edit(kept, lambda value: value.pop("address"))
    assert read(kept, "passphrase") == ALICE
    assert refusal(InvalidData, keystore.account, kept).code == "hex.length"


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
        lambda value: value.update(version=2),
        lambda value: value.update(crypto="x"),
        lambda value: value.update(crypto=[]),
        lambda value: value["crypto"].update(kdf="argon2"),
        lambda value: value["crypto"].update(ciphertext=7),
        lambda value: value["crypto"].pop("mac"),
        parameters(n="2"),
        parameters(n=2.5),
        parameters(salt=5),
        pbkdf2(prf="sha256"),
        pbkdf2(prf=1),
        pbkdf2(dklen=2**70),
    ],
)
def test_a_malformed_file_is_refused_by_one_error(kept, change):
    edit(kept, change)
    assert refusal(InvalidData, read, kept, "passphrase").code == "key.not_a_keystore"


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


def test_a_key_file_that_cannot_be_written_whole_is_not_there(tmp_path):
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    program = (
        "import pathlib, sys; from deedlog.registry.keystore import write_private\n"
        "write_private(pathlib.Path(sys.argv[1]), bytes(200))"
    )
    path = tmp_path / "log.pem"
    done = subprocess.run(
        [sys.executable, "-c", program, path], preexec_fn=limited, capture_output=True, text=True, check=False
    )
    assert "file.unwritable" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_of_many_who_write_one_new_file_at_once_one_succeeds_whole(tmp_path):
    path = tmp_path / "key.json"

    def attempt(number):
        try:
            write_private(path, bytes([number]) * 5000)
        except Unavailable as error:
            return error.code
        return "written"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(32))) == ["file.exists"] * 31 + ["written"]
    data = path.read_bytes()
    assert len(data) == 5000
    assert len(set(data)) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["key.json"]
