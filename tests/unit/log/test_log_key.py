"""The log's key file: only its passphrase opens it, and openssl does so too."""

from __future__ import annotations

import shutil
import stat
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from deedlog.anchor.log import key as log_key
from deedlog.registry.errors import InvalidData, Unavailable


def refusal(error, call, *arguments):
    with pytest.raises(error) as caught:
        call(*arguments)
    return caught.value.code


def pem(key, passphrase):
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def test_a_key_comes_back_by_its_passphrase_in_any_unicode_form(tmp_path):
    path = tmp_path / "log.pem"
    made = log_key.create(path, "ﬁe\u0301")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for typed in ("ﬁe\u0301", "fi\u00e9", "fie\u0301"):
        assert log_key.read(path, typed).private_bytes_raw() == made.private_bytes_raw()
    assert refusal(InvalidData, log_key.read, path, "fie") == "key.wrong_passphrase"
    assert refusal(Unavailable, log_key.create, path, "x") == "file.exists"


def test_a_missing_folder_is_named_and_not_made(tmp_path):
    assert refusal(Unavailable, log_key.create, tmp_path / "not mounted" / "log.pem", "x") == "file.no_folder"
    assert list(tmp_path.iterdir()) == []


def test_a_passphrase_that_openssl_cannot_take_is_refused_with_a_code(tmp_path):
    path, longest = tmp_path / "log.pem", "长" * 341
    assert refusal(InvalidData, log_key.create, path, longest + "x") == "key.passphrase_too_long"
    assert refusal(InvalidData, log_key.create, path, "") == "key.empty_passphrase"
    assert list(tmp_path.iterdir()) == []
    made = log_key.create(path, longest)
    assert log_key.read(path, longest).private_bytes_raw() == made.private_bytes_raw()
    assert refusal(InvalidData, log_key.read, path, longest + "x") == "key.passphrase_too_long"


def test_a_passphrase_is_as_long_as_its_shortest_form(tmp_path):
    path = tmp_path / "log.pem"
    typed = "e\u0301" * 500  # 1,500 bytes, and 1,000 in NFKC
    made = log_key.create(path, typed)
    assert log_key.read(path, typed).private_bytes_raw() == made.private_bytes_raw()


def test_a_file_made_before_passphrases_were_normalised_is_opened(tmp_path):
    path, key = tmp_path / "log.pem", Ed25519PrivateKey.generate()
    path.write_bytes(pem(key, "ﬁe\u0301".encode()))
    assert log_key.read(path, "ﬁe\u0301").private_bytes_raw() == key.private_bytes_raw()


def test_what_is_no_encrypted_key_is_no_wrong_passphrase(tmp_path):
    path = tmp_path / "log.pem"
    for data in (b"", b"\xff", b"{}", pem(Ed25519PrivateKey.generate(), None)):
        path.write_bytes(data)
        assert refusal(InvalidData, log_key.read, path, "x") == "key.not_a_log_key"
    path.write_bytes(pem(generate_private_key(SECP256K1()), b"x"))
    assert refusal(InvalidData, log_key.read, path, "x") == "key.not_ed25519"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="this machine has no openssl")
def test_openssl_opens_it(tmp_path):
    path = tmp_path / "log.pem"
    made = log_key.create(path, "pass phrase")
    command = ["openssl", "pkey", "-in", path, "-passin", "pass:pass phrase", "-outform", "DER"]
    assert made.private_bytes_raw() in subprocess.run(command, capture_output=True, check=True).stdout
