"""The documents say what is so: links lead somewhere, files are all listed, and the worked example is computed."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedlog.anchor import merkle
from deedlog.anchor.contract import contracts, current
from deedlog.anchor.evm.identity import Head, RegistryIdentity, head_slot
from deedlog.anchor.tlog import checkpoint
from deedlog.anchor.tlog.proof import TlogProof
from deedlog.anchor.verify import bundle
from deedlog.api.texts import catalogue
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.keccak import keccak256
from deedlog.registry.statements import KINDS, Share
from deedlog.registry.statements import entry as entries
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.typed_data import from_typed_data

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FORMATS = (ROOT / "docs/formats.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text("utf-8")
OPERATIONS = (ROOT / "docs/operations.md").read_text("utf-8")


def example(name):
    return re.search(rf"<!-- example:{name} -->\n```\w*\n(.*?)```", FORMATS, re.DOTALL)[1]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_are_there(document):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), target


def test_the_index_of_decisions_has_every_decision():
    folder = ROOT / "docs/adr"
    listed = re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert listed == sorted(path.name for path in folder.glob("0*.md"))


FOLDERS = sorted(path.parent for top in ("registry", "anchor", "api") for path in (ROOT / top).rglob("__init__.py"))


def test_the_architecture_lists_every_folder():
    rows = re.findall(r"^\| `((?:registry|anchor|api)[\w/]*)/` \|", ARCHITECTURE, re.MULTILINE)
    assert sorted(rows) == [str(folder.relative_to(ROOT)) for folder in FOLDERS]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_folder_says_what_lives_there(folder):
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))


def test_the_operations_answer_every_alarm():
    rows = re.findall(
        r"^\| `([a-z_.]+)` \|([^|]+)\|([^|]+)\|([^|]+)\|$",
        OPERATIONS[OPERATIONS.index("## Alarms and answers") :],
        re.MULTILINE,
    )
    answered = [code for code, *_ in rows]
    assert len(set(answered)) == len(answered)
    assert set(answered) <= set(catalogue("en"))
    raised = {code for code in catalogue("en") if code.split(".")[0] in ("alarm", "anchoring", "chain")}
    assert raised | {"worker.other_operator"} <= set(answered)
    assert all(cell.strip() for row in rows for cell in row)


def test_the_formats_name_every_kind_with_its_type_hash():
    listed = dict(re.findall(r"`(\w+)`, type hash `(0x[0-9a-f]{64})`", FORMATS))
    assert listed == {name: to_hex(keccak256(kind.STRUCT.type_string.encode())) for name, kind in KINDS.items()}
    for kind in KINDS.values():
        assert f"```\n{kind.STRUCT.type_string}\n```" in FORMATS


def test_the_formats_name_every_word_and_member():
    members = [member for kind in KINDS.values() for member in kind.STRUCT.members] + [*Share.STRUCT.members]
    table = FORMATS[FORMATS.index("### 2.2 Members") : FORMATS.index("### 2.3 Text")]
    for _, name, of in members:
        assert f"`{name}`" in table, name
        for word in getattr(of, "words", ()):
            assert f"`{word}`" in table, (name, word)
    encoded = FORMATS[FORMATS.index("### 2.4 Digest") : FORMATS.index("### 2.5 Typed data")]
    assert {of.name for _, _, of in members} == set(re.findall(r"`([\w\[\]]+)`", encoded[encoded.index("| type |") :]))
    assert f"`{to_hex(Share.STRUCT.type_hash)}`" in FORMATS


def test_the_formats_have_a_vector_of_each_kind():
    rows = re.findall(r"^\| `(\w+)` \| `(0x[0-9a-f]{64})` \| `(0x[0-9a-f]{64})` \|$", FORMATS, re.MULTILINE)
    cases = json.loads((ROOT / "tests/vectors/statements.json").read_text("utf-8"))["cases"]
    assert rows == [
        (case["kind"], case["struct_hash"], case["digest"]) for case in cases if case["name"].endswith(": plain")
    ]
    assert [kind for kind, _, _ in rows] == list(KINDS)


def test_the_formats_name_what_does_not_go_together():
    checks = [kind.check_whole for kind in KINDS.values()] + [KINDS["Agreement"]._check_sum]
    source = "".join(inspect.getsource(check) for check in checks)
    table = FORMATS[FORMATS.index("must also go together") : FORMATS.index("### 2.3 Text")]
    assert set(re.findall(r'InvalidData\("([\w.]+)"', source)) == set(
        re.findall(r"\| `([\w.]+)` \|$", table, re.MULTILINE)
    )


def test_the_formats_list_every_file_of_vectors():
    listed = re.findall(r"^\| `(\w+\.json)` \|", FORMATS[FORMATS.index("## 11.") :], re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "tests/vectors").glob("*.json"))


def test_the_formats_have_the_bundles_constants():
    assert f"```\n{bundle.ABOUT}\n```" in FORMATS
    assert f"| 1 | `{to_hex(keccak256(current().creation_code))}` |" in FORMATS


def test_the_worked_example_is_what_we_compute():
    given = dict(re.findall(r"^\| ([^|]+) \| `([^`]+)` \|$", FORMATS[FORMATS.index("## 10.") :], re.MULTILINE))
    registry = RegistryIdentity.from_json(json.loads(example("registry")), contracts())
    work = from_typed_data(json.loads(example("typed-data")), registry.address)
    separator = domain_separator(registry.address)
    private = bytes.fromhex(given["private key"][2:])
    signed = sign(work.digest(separator), private)
    entry = entries.build(entries.Entry(work.digest(separator), "Work", (signed,), work.subjects(), 1_795_460_000))
    log_key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(given["log's private key (Ed25519 seed)"][2:]))
    other = bytes.fromhex(given["leaf hash of entry 1"][2:])
    root = merkle.node_hash(merkle.leaf_hash(entry), other)
    code = registry.initialisation_code()
    computed = {
        "registry address": to_hex(registry.address),
        "constructor arguments, keccak256": to_hex(keccak256(registry.constructor_arguments())),
        "creation code ‖ arguments, keccak256": to_hex(keccak256(code)),
        "domain separator": to_hex(separator),
        "hashStruct": to_hex(work.STRUCT.hash(work)),
        "digest": to_hex(work.digest(separator)),
        "account": to_hex(account_of_private_key(private)),
        "signature (RFC 6979)": to_hex(signed.signature),
        "verifier key of the log": str(registry.verifier_key),
        "leaf hash of entry 0": to_hex(merkle.leaf_hash(entry)),
        "root of size 2": to_hex(root),
        "storage key of the head": to_hex(head_slot(root)),
    }
    assert computed == {name: given[name] for name in computed}
    assert example("entry").encode() == entry + b"\n"
    note = checkpoint.sign(checkpoint.Checkpoint(registry.origin, 2, root), log_key)
    assert example("tlog-proof").encode() == TlogProof(0, (other,), note).format()
    word = re.search(r"the word at the storage key is\n\n`(0x[0-9a-f]{64})`", FORMATS)[1]
    assert Head.unpack(bytes.fromhex(word[2:])) == Head(2, 1_795_460_012, 0, 7)
