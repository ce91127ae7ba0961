"""What `log_vectors.py` writes of notes: `checkpoint.json` and `tlog_proof.json`, put together by hand."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from vectors.generate.log_trees import CLASSIC, EMPTY, Tree, hexes, leaf, to_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED = bytes(range(32))
OTHER_SEED = bytes(range(32, 64))
ORIGIN = "deeds.example.com/log"
DASH = "\u2014 "

# The example of C2SP signed-note, and the checkpoint of C2SP tlog-checkpoint (whose key is not published).
SPECIFICATION_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPECIFICATION_NOTE = (
    "This is an example message.\n\n"
    "\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
SPECIFICATION_CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)


def base64_of(data: bytes) -> str:
    """Return standard base 64."""
    return base64.b64encode(data).decode()


def public_key(seed: bytes) -> bytes:
    """Return the Ed25519 public key of a private one."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def key_id(name: str, public: bytes) -> bytes:
    """Return SHA-256(key name ‖ 0x0A ‖ signature type ‖ public key)[:4]."""
    return hashlib.sha256(name.encode() + b"\x0a\x01" + public).digest()[:4]


def vkey(name: str, public: bytes) -> str:
    """Return the vkey of an Ed25519 key."""
    return f"{name}+{key_id(name, public).hex()}+{base64_of(bytes([1]) + public)}"


def line(text: str, name: str, seed: bytes) -> str:
    """Return the signature line of a text."""
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode())
    return f"{DASH}{name} {base64_of(key_id(name, public_key(seed)) + signature)}\n"


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """Return the three lines."""
    return f"{origin}\n{size}\n{base64_of(root)}\n"


def checkpoint() -> dict[str, Any]:
    """Return `checkpoint.json`."""
    tree = Tree([leaf(entry) for entry in CLASSIC])
    heads = [(0, EMPTY), (1, tree.root(1)), (8, tree.root(8)), (2**64 - 1, tree.root(7))]
    text = checkpoint_text(ORIGIN, 8, tree.root(8))
    own = line(text, ORIGIN, SEED)
    stranger = line(text, "witness.example/w", OTHER_SEED)
    return {
        "about": "C2SP signed-note v1 and tlog-checkpoint v1, with Ed25519. `key` signs `checkpoints`, byte for byte. "
        "`opened` are further notes that this key opens; `refused` are notes that it does not, and why. "
        "`malformed` cannot be read even without a key. `specification` are the specifications' own examples.",
        "key": {
            "name": ORIGIN,
            "private": to_hex(SEED),
            "public": to_hex(public_key(SEED)),
            "key_id": to_hex(key_id(ORIGIN, public_key(SEED))),
            "vkey": vkey(ORIGIN, public_key(SEED)),
        },
        "checkpoints": [
            {
                "size": str(size),
                "root": to_hex(root),
                "note": (one := checkpoint_text(ORIGIN, size, root)) + "\n" + line(one, ORIGIN, SEED),
            }
            for size, root in heads
        ],
        "opened": [
            {"why": "a stranger signed too", "note": f"{text}\n{own}{stranger}"},
            {"why": "a stranger signed first", "note": f"{text}\n{stranger}{own}"},
            {"why": "our name with another key: a stranger", "note": f"{text}\n{own}{line(text, ORIGIN, OTHER_SEED)}"},
            {"why": "our key id under another name: a stranger", "note": f"{text}\n{own}{_renamed(own)}"},
            {"why": "our signature twice", "note": f"{text}\n{own}{own}"},
            {"why": "300 lines of strangers", "note": f"{text}\n{stranger * 300}{own}"},
            {"why": "bits in the padding of a stranger's line", "note": f"{text}\n{own}{DASH}a.example AAAAAAB=\n"},
            {
                "why": "bits in the padding of a line with our name and another key id",
                "note": f"{text}\n{own}{DASH}{ORIGIN} AAAAAAB=\n",
            },
        ],
        "refused": _refused_notes(text, own, stranger, tree),
        "malformed": _malformed_notes(text, own),
        "refused_vkeys": _refused_vkeys(),
        "specification": {
            "vkey": SPECIFICATION_KEY,
            "note": SPECIFICATION_NOTE,
            "text": "This is an example message.\n",
            "checkpoint": SPECIFICATION_CHECKPOINT,
            "checkpoint_origin": "example.com/behind-the-sofa",
            "checkpoint_size": "20852163",
            "checkpoint_root": to_hex(base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")),
        },
    }


def _renamed(own: str) -> str:
    return own.replace(ORIGIN, "elsewhere.example/log")


def _refused_notes(text: str, own: str, stranger: str, tree: Tree) -> list[dict[str, str]]:
    def signed(other: str) -> str:
        return f"{other}\n{line(other, ORIGIN, SEED)}"

    root = base64_of(tree.root(8))
    mapped = signed(text).replace(root, base64_of(tree.root(7)))
    malformed = "checkpoint.malformed"
    return [
        {"code": "note.unsigned", "why": "only a stranger signed", "note": f"{text}\n{stranger}"},
        {"code": "note.unsigned", "why": "our name, another key", "note": f"{text}\n{line(text, ORIGIN, OTHER_SEED)}"},
        {"code": "note.unsigned", "why": "our key under another name", "note": f"{text}\n{_renamed(own)}"},
        {"code": "note.signature", "why": "another root than was signed", "note": mapped},
        {
            "code": "note.signature",
            "why": "one of our two signatures fails",
            "note": f"{text}\n{own}{line(text + text, ORIGIN, SEED)}",
        },
        {"code": "note.signature", "why": "a signature of 63 bytes", "note": f"{text}\n{_cut(own)}"},
        {
            "code": "note.signature_line",
            "why": "bits in the padding of our line",
            "note": f"{text}\n{own[:-3]}{chr(ord(own[-3]) + 1)}=\n",
        },
        {
            "code": "checkpoint.origin",
            "why": "another log's origin",
            "note": signed(checkpoint_text("elsewhere.example/log", 8, tree.root(8))),
        },
        {"code": malformed, "why": "an extension line", "note": signed(f"{text}extension\n")},
        {"code": malformed, "why": "an empty line after", "note": signed(f"{text}\n")},
        {"code": malformed, "why": "two lines", "note": signed(f"{ORIGIN}\n8\n")},
        {"code": malformed, "why": "no origin", "note": signed(f"\n8\n{root}\n")},
        {"code": malformed, "why": "a size with a leading zero", "note": signed(f"{ORIGIN}\n08\n{root}\n")},
        {"code": malformed, "why": "a size with a sign", "note": signed(f"{ORIGIN}\n+8\n{root}\n")},
        {"code": malformed, "why": "a size with a space", "note": signed(f"{ORIGIN}\n8 \n{root}\n")},
        {"code": malformed, "why": "a size in other digits", "note": signed(f"{ORIGIN}\n\u0668\n{root}\n")},
        {"code": malformed, "why": "a size of 2^64", "note": signed(f"{ORIGIN}\n{2**64}\n{root}\n")},
        {"code": malformed, "why": "no size", "note": signed(f"{ORIGIN}\n\n{root}\n")},
        {"code": malformed, "why": "a root of 31 bytes", "note": signed(f"{ORIGIN}\n8\n{base64_of(bytes(31))}\n")},
        {"code": malformed, "why": "a root of 33 bytes", "note": signed(f"{ORIGIN}\n8\n{base64_of(bytes(33))}\n")},
        {"code": malformed, "why": "a root in hex", "note": signed(f"{ORIGIN}\n8\n{tree.root(8).hex()}\n")},
        {"code": malformed, "why": "bits in the root's padding", "note": signed(f"{ORIGIN}\n8\n{root[:-2]}h=\n")},
        {"code": malformed, "why": "a root without padding", "note": signed(f"{ORIGIN}\n8\n{root[:-1]}\n")},
        {"code": malformed, "why": "another root of the empty tree", "note": signed(f"{ORIGIN}\n0\n{root}\n")},
    ]


def _cut(own: str) -> str:
    """Return the signature line with one byte less."""
    head, _, encoded = own.rstrip("\n").rpartition(" ")
    return f"{head} {base64_of(base64.b64decode(encoded)[:-1])}\n"


def _malformed_notes(text: str, own: str) -> list[dict[str, str]]:
    def with_line(other: str) -> str:
        return to_hex(f"{text}\n{own}{other}".encode())

    signature = "note.signature_line"
    encoded = own.split(" ")[2].rstrip("\n")
    raw = f"{text}\n{own}".encode()
    return [
        {"code": "note.malformed", "why": "nothing", "note": "0x"},
        {"code": "note.malformed", "why": "no empty line", "note": to_hex(f"{text}{own}".encode())},
        {"code": "note.malformed", "why": "no last newline", "note": to_hex(raw[:-1])},
        {"code": "note.malformed", "why": "no signature", "note": to_hex(f"{text}\n".encode())},
        {"code": signature, "why": "an empty line among the signatures", "note": with_line("\n" + "x\n")},
        {"code": signature, "why": "a line that is no signature", "note": with_line("x\n")},
        {"code": signature, "why": "a hyphen for the dash", "note": with_line(f"- a.example {encoded}\n")},
        {"code": signature, "why": "an en dash", "note": with_line(f"\u2013 a.example {encoded}\n")},
        {"code": signature, "why": "no space after the dash", "note": with_line(f"\u2014a.example {encoded}\n")},
        {"code": signature, "why": "no name", "note": with_line(f"{DASH}{encoded}\n")},
        {"code": signature, "why": "an empty name", "note": with_line(f"{DASH} {encoded}\n")},
        {"code": signature, "why": "a plus in the name", "note": with_line(f"{DASH}a+b {encoded}\n")},
        {"code": signature, "why": "a no-break space in the name", "note": with_line(f"{DASH}a\u00a0b {encoded}\n")},
        {"code": signature, "why": "a line separator in the name", "note": with_line(f"{DASH}a\u2028b {encoded}\n")},
        {"code": signature, "why": "two spaces", "note": with_line(f"{DASH}a.example  {encoded}\n")},
        {"code": signature, "why": "a space at the end", "note": with_line(f"{DASH}a.example {encoded} \n")},
        {"code": signature, "why": "no signature bytes", "note": with_line(f"{DASH}a.example {base64_of(bytes(4))}\n")},
        {"code": signature, "why": "not base 64", "note": with_line(f"{DASH}a.example ????\n")},
        {"code": signature, "why": "URL-safe base 64", "note": with_line(f"{DASH}a.example ----____\n")},
        {"code": signature, "why": "no padding", "note": with_line(f"{DASH}a.example AAAAAAA\n")},
        {"code": "note.control", "why": "a carriage return", "note": to_hex(raw.replace(b"\n", b"\r\n"))},
        {"code": "note.control", "why": "a tab", "note": to_hex(b"\t" + raw)},
        {"code": "note.control", "why": "a zero byte", "note": to_hex(b"\x00" + raw)},
        {"code": "note.not_utf8", "why": "a stray byte", "note": to_hex(b"\xff" + raw)},
        {"code": "note.not_utf8", "why": "an overlong newline", "note": to_hex(b"\xc0\x8a" + raw)},
        {"code": "note.not_utf8", "why": "a surrogate", "note": to_hex(b"\xed\xa0\x80" + raw)},
    ]


def _refused_vkeys() -> list[dict[str, str]]:
    public = public_key(SEED)
    good = vkey(ORIGIN, public)
    name, identifier, encoded = good.split("+", 2)
    other = hashlib.sha256(name.encode() + b"\n\x04" + public).digest()[:4].hex()
    return [
        {"code": "note.key", "why": "nothing", "vkey": ""},
        {"code": "note.key", "why": "a name alone", "vkey": name},
        {"code": "note.key", "why": "no key", "vkey": f"{name}+{identifier}+"},
        {"code": "note.key", "why": "another key's id", "vkey": f"{name}+00000000+{encoded}"},
        {"code": "note.key", "why": "another name's id", "vkey": f"{name}x+{identifier}+{encoded}"},
        {"code": "note.key", "why": "an id in capitals", "vkey": f"{name}+{identifier.upper()}+{encoded}"},
        {"code": "note.key", "why": "a cosignature key", "vkey": f"{name}+{other}+{base64_of(bytes([4]) + public)}"},
        {"code": "note.key", "why": "a key of 31 bytes", "vkey": vkey(name, public[:31])},
        {"code": "note.key", "why": "a key of 33 bytes", "vkey": vkey(name, public + b"\x00")},
        {"code": "note.key", "why": "a line end", "vkey": f"{good}\n"},
        {"code": "note.name", "why": "no name", "vkey": vkey("", public)},
        {"code": "note.name", "why": "a space in the name", "vkey": vkey("a b", public)},
        {"code": "note.name", "why": "256 characters", "vkey": vkey("a" * 256, public)},
        {"code": "note.name", "why": "a letter outside ASCII", "vkey": vkey("caf\u00e9.example", public)},
    ]


# ---- tlog_proof.json ----


def proof_text(index: int, hashes: Sequence[bytes], note: str) -> str:
    """Return the text of a tlog-proof."""
    return "\n".join(["c2sp.org/tlog-proof@v1", f"index {index}", *map(base64_of, hashes)]) + "\n\n" + note


def tlog_proof() -> dict[str, Any]:
    """Return `tlog_proof.json`."""
    tree = Tree([leaf(entry) for entry in CLASSIC])

    def note(size: int) -> str:
        text = checkpoint_text(ORIGIN, size, tree.root(size))
        return f"{text}\n{line(text, ORIGIN, SEED)}"

    def case(index: int, size: int) -> dict[str, Any]:
        hashes = tree.path(index, 0, size)
        return {
            "entry": to_hex(CLASSIC[index]),
            "index": str(index),
            "hashes": hexes(hashes),
            "size": str(size),
            "root": to_hex(tree.root(size)),
            "text": proof_text(index, hashes, note(size)),
        }

    return {
        "about": "C2SP tlog-proof v1. Each text of `proofs` is written and read, and its entry is in the tree of its "
        "checkpoint, which `vkey` signed. `refused` are not read.",
        "vkey": vkey(ORIGIN, public_key(SEED)),
        "proofs": [case(0, 1), case(0, 8), case(4, 7), case(6, 7), case(7, 8)],
        "refused": _refused_proofs(case(4, 7)["text"], note(7)),
    }


def _refused_proofs(good: str, note: str) -> list[dict[str, str]]:
    head, index, *hashes = good.split("\n\n", maxsplit=1)[0].split("\n")

    def text(*lines: str) -> str:
        return "\n".join(lines) + "\n\n" + note

    return [
        {"why": "nothing", "text": ""},
        {"why": "no checkpoint", "text": "\n".join([head, index, *hashes]) + "\n"},
        {"why": "another version", "text": text("c2sp.org/tlog-proof@v2", index, *hashes)},
        {"why": "a space after the header", "text": text(f"{head} ", index, *hashes)},
        {"why": "an empty line before", "text": "\n" + good},
        {"why": "carriage returns", "text": good.replace("\n", "\r\n")},
        {"why": "extra data: nobody has signed it, and we have no use for it", "text": text(head, "extra YQ==", index)},
        {"why": "no index", "text": text(head, *hashes)},
        {"why": "the index twice", "text": text(head, index, index, *hashes)},
        {"why": "an index with a leading zero", "text": text(head, "index 04", *hashes)},
        {"why": "a negative index", "text": text(head, "index -4", *hashes)},
        {"why": "an index in hex", "text": text(head, "index 0x4", *hashes)},
        {"why": "an index of 2^64", "text": text(head, f"index {2**64}", *hashes)},
        {"why": "an index in other digits", "text": text(head, "index \u0664", *hashes)},
        {"why": "two spaces before the index", "text": text(head, "index  4", *hashes)},
        {"why": "no hash but a word", "text": text(head, index, "word", *hashes)},
        {"why": "a hash of 31 bytes", "text": text(head, index, base64_of(bytes(31)), *hashes[1:])},
        {"why": "a hash of 33 bytes", "text": text(head, index, base64_of(bytes(33)), *hashes[1:])},
        {"why": "a hash without padding", "text": text(head, index, hashes[0][:-1], *hashes[1:])},
        {"why": "a space before a hash", "text": text(head, index, f" {hashes[0]}", *hashes[1:])},
        {"why": "bits in a hash's padding", "text": text(head, index, base64_of(bytes(32))[:-2] + "B=")},
        {"why": "65 hashes", "text": text(head, index, *[hashes[0]] * 65)},
    ]
