"""Signed notes and checkpoints: `tests/vectors/checkpoint.json`, the specifications' own examples, and every byte."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from vectors.generate import log_vectors

from deedlog.anchor import merkle
from deedlog.anchor.tlog import checkpoint, note
from deedlog.registry.errors import InvalidData

VECTORS = json.loads((log_vectors.FOLDER / "checkpoint.json").read_text(encoding="utf-8"))
KEY = note.parse_key(VECTORS["key"]["vkey"])
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["key"]["private"][2:]))
ROOT = merkle.leaf_hash(b"")


def data(text):
    return bytes.fromhex(text[2:])


def code_of(call, *arguments):
    with pytest.raises(note.NoteError) as caught:
        call(*arguments)
    return caught.value.code


def test_the_file_is_what_its_generator_makes():
    assert (log_vectors.FOLDER / "checkpoint.json").read_text(encoding="utf-8") == log_vectors.render("checkpoint.json")


# ---- Vectors ----


def test_the_key():
    assert note.VerifierKey(VECTORS["key"]["name"], data(VECTORS["key"]["public"])) == KEY
    assert KEY.key_id == data(VECTORS["key"]["key_id"])
    assert str(KEY) == VECTORS["key"]["vkey"]


@pytest.mark.parametrize("case", VECTORS["checkpoints"], ids=lambda case: case["size"])
def test_checkpoints_are_written_and_read(case):
    head = checkpoint.Checkpoint(KEY.name, int(case["size"]), data(case["root"]))
    signed = case["note"].encode()
    assert checkpoint.sign(head, PRIVATE) == signed
    assert checkpoint.open_signed(signed, KEY) == head
    unsigned = checkpoint.read_unsigned(signed)
    assert (unsigned.origin, unsigned.size, unsigned.root) == (head.origin, head.size, head.root)


@pytest.mark.parametrize("case", VECTORS["opened"], ids=lambda case: case["why"])
def test_notes_that_our_key_opens(case):
    assert checkpoint.open_signed(case["note"].encode(), KEY).size == 8


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["why"])
def test_notes_that_our_key_does_not_open(case):
    assert code_of(checkpoint.open_signed, case["note"].encode(), KEY) == case["code"]


@pytest.mark.parametrize("case", VECTORS["malformed"], ids=lambda case: case["why"])
def test_notes_that_cannot_be_read(case):
    assert code_of(note.parse, data(case["note"])) == case["code"]
    assert code_of(checkpoint.open_signed, data(case["note"]), KEY) == case["code"]
    assert code_of(checkpoint.read_unsigned, data(case["note"])) == case["code"]


@pytest.mark.parametrize("case", VECTORS["refused_vkeys"], ids=lambda case: case["why"])
def test_keys_that_are_not_read(case):
    assert code_of(note.parse_key, case["vkey"]) == case["code"]


def test_the_specifications_examples():
    example = VECTORS["specification"]
    assert note.open_note(example["note"].encode(), note.parse_key(example["vkey"])) == example["text"]
    head = checkpoint.read_unsigned(example["checkpoint"].encode())
    assert head.origin == example["checkpoint_origin"]
    assert head.size == int(example["checkpoint_size"])
    assert head.root == data(example["checkpoint_root"])


# ---- Beyond them ----

_NAMES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), blacklist_characters="+"), min_size=1
)
_LINES = st.builds(
    lambda name, key_id, signature: f"\u2014 {name} {note.to_base64(key_id + signature)}\n",
    _NAMES | st.just(KEY.name),
    st.binary(min_size=4, max_size=4).filter(lambda key_id: key_id != KEY.key_id),
    st.binary(min_size=1, max_size=90),
)


def with_padding_bits(line):
    """Return a signature line whose base 64 has a bit set in its padding, if it has padding."""
    unpadded = line.rstrip("=\n")
    padding = line[len(unpadded) :]
    return line if padding == "\n" else unpadded[:-1] + chr(ord(unpadded[-1]) + 1) + padding


@given(st.lists(_LINES | _LINES.map(with_padding_bits), max_size=100), st.integers(0, 100))
def test_no_line_of_another_key_takes_a_good_note_away(lines, place):
    text, own = VECTORS["checkpoints"][2]["note"].split("\n\n")
    lines.insert(min(place, len(lines)), own)
    signed = (text + "\n\n" + "".join(lines)).encode()
    assert checkpoint.open_signed(signed, KEY).size == 8


def test_a_note_ends_its_text_at_the_last_empty_line():
    text = "a text\n\nwith an empty line\n\n"
    signed = note.sign(text, KEY.name, PRIVATE)
    assert note.open_note(signed, KEY) == text


def test_no_byte_of_a_checkpoint_can_be_changed():
    signed = VECTORS["checkpoints"][2]["note"].encode()
    for place in range(len(signed)):
        for flip in (0x01, 0x20, 0x80):
            changed = bytearray(signed)
            changed[place] ^= flip
            with pytest.raises(note.NoteError):
                checkpoint.open_signed(bytes(changed), KEY)
    for end in range(len(signed)):
        with pytest.raises(note.NoteError):
            checkpoint.open_signed(signed[:end], KEY)


@given(st.integers(0, merkle.MAXIMUM_SIZE), st.binary(min_size=32, max_size=32))
def test_every_checkpoint_comes_back(size, root):
    head = checkpoint.Checkpoint(KEY.name, size, root if size else merkle.EMPTY_ROOT)
    assert checkpoint.open_signed(checkpoint.sign(head, PRIVATE), KEY) == head


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_a_note_or_an_error_of_ours(junk):
    for text in (junk, b"a\n\n\xe2\x80\x94 " + junk + b"\n", b"o\n1\n" + junk + b"\n\n\xe2\x80\x94 a AAAAAAA=\n"):
        try:
            checkpoint.read_unsigned(text)
        except InvalidData:
            continue


@pytest.mark.parametrize(
    "members",
    [
        ("", 1, ROOT),
        ("a b", 1, ROOT),
        ("a+b", 1, ROOT),
        ("a\nb", 1, ROOT),
        ("a" * 256, 1, ROOT),
        ("a", -1, ROOT),
        ("a", 2**64, ROOT),
        ("a", True, ROOT),
        ("a", 1, ROOT[:-1]),
        ("a", 0, ROOT),
    ],
)
def test_there_is_no_such_checkpoint(members):
    assert code_of(checkpoint.Checkpoint, *members) == "checkpoint.malformed"


@pytest.mark.parametrize("text", ["", "no line end", "a tab\t\n", "a carriage return\r\n"])
def test_a_text_that_is_not_signed(text):
    assert code_of(note.sign, text, KEY.name, PRIVATE) == "note.malformed"


def test_a_lone_surrogate_is_not_signed():
    assert code_of(note.sign, "\ud800\n", KEY.name, PRIVATE) == "note.not_utf8"


def test_the_limit_of_a_note():
    assert code_of(note.parse, bytes(note.MAXIMUM_NOTE + 1)) == "note.too_large"
    assert code_of(note.sign, "a" * note.MAXIMUM_NOTE + "\n", KEY.name, PRIVATE) == "note.too_large"
