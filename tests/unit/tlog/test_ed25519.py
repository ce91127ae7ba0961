"""Which public keys a log may have: `tests/vectors/ed25519.json`, and noble's opinion of random ones."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from vectors.generate import ed25519_vectors

from deedlog.anchor.contract import current
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.tlog import note
from deedlog.anchor.tlog.ed25519 import is_public_key
from deedlog.registry.errors import InvalidData

VECTORS = json.loads(ed25519_vectors.FILE.read_text(encoding="utf-8"))
NOBLE = Path(__file__).with_name("ed25519_noble.mjs")


def data(text):
    return bytes.fromhex(text[2:])


def noble(keys):
    """Return, for each key, whether noble finds it canonical and of prime order."""
    asked = json.dumps(["0x" + key.hex() for key in keys])
    answer = subprocess.run(["node", NOBLE], input=asked, capture_output=True, text=True, check=True).stdout
    return json.loads(answer)


def test_the_file_is_what_its_generator_makes():
    assert ed25519_vectors.FILE.read_text(encoding="utf-8") == ed25519_vectors.render()


@pytest.mark.parametrize("case", VECTORS["keys"], ids=lambda case: case["why"])
def test_keys(case):
    assert is_public_key(data(case["key"])) is case["valid"]


@pytest.mark.parametrize("case", [case for case in VECTORS["keys"] if not case["valid"]], ids=lambda case: case["why"])
def test_a_weak_key_is_refused_wherever_a_key_is_read(case):
    key = data(case["key"])
    with pytest.raises(note.NoteError, match=r"note\.weak_key"):
        note.VerifierKey("a.example/log", key)
    with pytest.raises(InvalidData, match=r"registry\.log_key"):
        RegistryIdentity(current(), bytes(32), "a.example/log", key, b"\1" * 20, b"\2" * 20, (1,))


@pytest.mark.parametrize("case", VECTORS["signatures"], ids=lambda case: case["why"])
def test_signatures(case):
    text = VECTORS["text"]
    key = note.VerifierKey(text.split("\n", 1)[0], data(VECTORS["key"]))
    encoded = base64.b64encode(key.key_id + data(case["signature"])).decode()
    signed = f"{text}\n\u2014 {key.name} {encoded}\n".encode()
    if case["valid"]:
        assert note.open_note(signed, key) == text
    else:
        with pytest.raises(note.NoteError, match=r"note\.signature"):
            note.open_note(signed, key)


def test_noble_says_the_same_of_vectors_and_random_bytes():
    random = Random(8032)
    keys = [data(case["key"]) for case in VECTORS["keys"]]
    keys += [random.randbytes(32) for _ in range(300)]
    keys += [
        Ed25519PrivateKey.from_private_bytes(random.randbytes(32)).public_key().public_bytes_raw() for _ in range(50)
    ]
    ours = [is_public_key(key) for key in keys]
    assert ours == noble(keys)
    assert 55 < sum(ours) < 150  # all real keys, and about one in sixteen of the random ones
