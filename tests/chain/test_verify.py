"""The verifier on bundles from a real chain: each answer driven to yes, no and not checked; nothing forged passes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from forgery import forge
from support.worlds.chains.anvil import running_anvil
from support.worlds.chains.chain_world import FILE
from support.worlds.registries.registry_world import ALICE, BOB, PLATFORM_KEY, rendition, upload, work

from deedlog.anchor import merkle
from deedlog.anchor.contract import contracts
from deedlog.anchor.evm import rlp
from deedlog.anchor.evm.state_proof import parse_header
from deedlog.anchor.rpc.contract_reader import ask
from deedlog.anchor.tlog import checkpoint
from deedlog.anchor.tlog.checkpoint import Checkpoint
from deedlog.anchor.tlog.proof import TlogProof
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.evidence.evm_slot import blocks_to_ask
from deedlog.anchor.verify.pins import NodeAnswer, Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import QUESTIONS, Answer, Trust, parse_require
from deedlog.registry.errors import InvalidData
from deedlog.registry.file_digest import FileDigest
from deedlog.registry.keccak import keccak256
from deedlog.registry.statements import entry as entries
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import sign
from deedlog.registry.statements.typed_data import typed_data

ROOT = Path(__file__).resolve().parents[2]
TABLE = re.search(r"\| you give \|.*?\n\n", (ROOT / "docs/verdict.md").read_text("utf-8"), re.DOTALL)[0]
ROWS = [[cell.strip() for cell in row.strip("|").split("|")] for row in TABLE.strip().splitlines()[2:]]
COLUMNS = ("complete", "included", "anchored", "final", "time")


def pins_for(given, proven):
    registry = proven.registry if "--registry" in given else None
    block_hashes = (proven.block_hash,) if "--block-hash" in given else ()
    if "of another registry" in given:
        registry = b"\x01" * 20
    if "of another block" in given:
        block_hashes = (b"\x02" * 32,)
    numbers = [number for _, number in blocks_to_ask(proven.bundle.anchors)]
    return Pins(registry, block_hashes, (ask(proven.url, numbers),) if "--rpc" in given else ())


def logged_alone(world, bundle, entry):
    """Return the bundle with this entry, in a log of one whose checkpoint the true log key signed."""
    note = checkpoint.sign(Checkpoint(world.identity.origin, 1, merkle.leaf_hash(entry)), world.log_key)
    return replace(bundle, entry=entry, anchors=(), tlog_proof=TlogProof(0, (), note).format())


def answers(verdict):
    return {name: str(finding.answer) for name, finding in verdict.findings.items()}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_table_in_the_docs_is_true(proven, row):
    verdict = verify(proven.bundle, pins_for(row[0], proven), FILE)
    found = answers(verdict)
    assert [found[name] for name in COLUMNS] == row[1:6]
    assert verdict.exit_code(parse_require(None, file_given=True)) == int(row[6])
    assert (found["file"], found["author"], found["signatures"], found["standing"]) == (
        *("yes",) * 3,
        "not checked",
    )


def test_a_nodes_word_is_never_final_on_a_development_chain(proven_locally):
    verdict = verify(proven_locally.bundle, pins_for("--registry --rpc", proven_locally), FILE)
    assert verdict.findings["anchored"].answer is Answer.YES
    assert verdict.findings["final"].code == "final.development_chain"
    assert verdict.on_development_chain
    verdict = verify(proven_locally.bundle, pins_for("--registry --block-hash", proven_locally), FILE)
    assert verdict.findings["final"].code == "final.your_word"


class TestEachAnswer:
    def test_file(self, proven):
        pins = pins_for("--registry --block-hash", proven)
        assert verify(proven.bundle, pins).findings["file"].code == "file.not_given"
        other = FileDigest(bytes(32), 5)
        verdict = verify(proven.bundle, pins, other)
        assert verdict.findings["file"].code == "file.differs"
        assert [name for name, answer in answers(verdict).items() if answer == "no"] == ["file"]
        longer = FileDigest(FILE.content_hash, FILE.content_length + 1)
        assert verify(proven.bundle, pins, longer).findings["file"].code == "file.differs"
        smaller = FileDigest(bytes.fromhex(proven.rendition.typed_data["message"]["contentHash"][2:]), len(b"smaller"))
        # Anybody can sign a rendition of anything: a stranger's word counts only for whoever accepts it.
        maker = bytes.fromhex(proven.rendition.typed_data["message"]["maker"][2:])
        verdict = verify(proven.bundle, pins, smaller, proven.rendition)
        assert verdict.findings["file"].code == "file.rendition_of_another"
        assert verdict.exit_code(parse_require(None, file_given=True)) == 2
        accepting = replace(pins, makers=(maker,))
        assert verify(proven.bundle, accepting, smaller, proven.rendition).findings["file"].code == "file.rendition"
        assert (
            verify(proven.bundle, accepting, smaller, proven.rendition).exit_code(parse_require(None, file_given=True))
            == 0
        )
        assert verify(proven.rendition, pins, smaller).findings["file"].code == "file.rendition"
        assert verify(proven.bundle, pins, other, proven.rendition).findings["file"].code == "file.differs"
        assert verify(proven.bundle, pins, smaller, proven.bundle).findings["file"].code == "file.not_its_rendition"

    def test_a_creators_own_rendition_needs_no_more_trust(self, proven):
        world = proven.world
        source = bytes.fromhex(verify(proven.bundle, Pins()).to_json()["digest"][2:])
        digest = world.accept(rendition(source, ALICE, b"by alice"), ALICE).digest
        world.sequence()
        file = FileDigest(sha256(b"by alice").digest(), len(b"by alice"))
        verdict = verify(proven.bundle, Pins(world.identity.address), file, world.bundle(digest))
        assert verdict.findings["file"].code == "file.rendition"
        # The rendition is in the log by the log key alone, and the answer says so.
        assert verdict.findings["file"].trust == (Trust.SIGNER, Trust.LOG_KEY)

    def test_a_rendition_of_another_work_is_none_of_this_one(self, proven):
        world = proven.world
        other = world.accept(work(content=b"another source"), ALICE).digest
        made = world.accept(rendition(other, ALICE, b"made from the other"), ALICE).digest
        world.sequence()
        file = FileDigest(sha256(b"made from the other").digest(), len(b"made from the other"))
        verdict = verify(proven.bundle, Pins(world.identity.address), file, world.bundle(made))
        assert verdict.findings["file"].code == "file.not_its_rendition"

    def test_an_entry_with_other_subjects_than_its_statement_is_not_included(self, proven):
        world = proven.world
        genuine = entries.parse(proven.bundle.entry)
        for changes in ({"subjects": ("content:0x" + "00" * 32,)}, {"kind": "Upload"}):
            entry = entries.build(replace(genuine, **changes))
            verdict = verify(logged_alone(world, proven.bundle, entry), Pins(world.identity.address))
            assert verdict.findings["signatures"].answer is Answer.YES
            assert verdict.findings["included"].code == "entry.not_of_statement"
            assert verdict.findings["included"].answer is Answer.NO

    def test_a_statement_for_another_registry_does_not_count_in_this_log(self, proven):
        world = proven.world
        made, elsewhere = work(content=b"for another"), bytes([7] * 20)
        digest = made.digest(domain_separator(elsewhere))
        entry = entries.build(entries.Entry(digest, "Work", (sign(digest, ALICE),), made.subjects(), 1_795_460_000))
        genuine = replace(proven.bundle, typed_data=typed_data(made, elsewhere))
        verdict = verify(logged_alone(world, genuine, entry), Pins(world.identity.address))
        assert verdict.findings["signatures"].answer is Answer.YES
        for name in ("complete", "included", "anchored"):
            assert verdict.findings[name].answer is Answer.NO
            assert verdict.findings[name].code == "typed_data.domain"

    def test_author(self, proven):
        assert verify(proven.bundle, Pins()).findings["author"].code == "author.signed"
        assert verify(proven.rendition, Pins()).findings["author"].code == "author.rendition"

    def test_an_upload_never_has_a_yes_for_the_author(self, proven):
        world = proven.world
        digest = world.accept(upload(content=b"uploaded"), PLATFORM_KEY).digest
        world.sequence()
        finding = verify(world.bundle(digest), Pins(world.identity.address)).findings["author"]
        assert (finding.answer, finding.code) == (Answer.NOT_CHECKED, "author.platform_only")

    def test_signatures_and_complete(self, proven):
        pins = pins_for("--registry --block-hash", proven)
        entry = json.loads(proven.bundle.entry)
        entry["signatures"][0]["signature"] = "0x" + "11" * 64 + "1b"
        bad = replace(proven.bundle, entry=canonical(entry))
        verdict = verify(bad, pins)
        assert verdict.findings["signatures"].answer is Answer.NO
        assert verdict.findings["author"].answer is Answer.NO
        assert verdict.findings["complete"].answer is Answer.NO
        assert verdict.findings["included"].answer is Answer.NO
        entry["signatures"] = []
        verdict = verify(replace(proven.bundle, entry=canonical(entry)), pins)
        assert verdict.findings["signatures"].code == "signature.none"

    def test_a_work_that_one_of_two_creators_signed_is_not_complete(self, proven):
        world = proven.world
        both = work(creators=tuple(sorted((work(ALICE).creators[0], work(BOB).creators[0]))), content=b"by two")
        signed = world.submission(both, ALICE)
        digest = both.digest(world.separator)
        logged = entries.build(entries.Entry(digest, "Work", signed.signatures, both.subjects(), 1_795_460_000))
        bundle = replace(proven.bundle, typed_data=signed.typed_data, entry=logged)
        verdict = verify(bundle, Pins(world.identity.address))
        assert verdict.findings["signatures"].answer is Answer.YES
        assert (verdict.findings["complete"].answer, verdict.findings["complete"].code) == (
            Answer.NO,
            "signature.missing",
        )

    def test_included_on_the_log_keys_word(self, proven):
        world = proven.world
        digest = world.accept(work(content=b"new, not anchored"), ALICE).digest
        world.sequence()
        bundle = bundles.parse(world.bundle(digest).format(), contracts())
        assert bundle.tlog_proof is not None
        verdict = verify(bundle, Pins(world.identity.address))
        assert verdict.findings["included"].code == "included.log_key"
        assert verdict.findings["anchored"].code == "anchored.not_yet"
        assert verdict.findings["time"].code == "time.registry_word"
        assert verify(bundle, Pins()).findings["included"].answer is Answer.NOT_CHECKED
        broken = replace(bundle, tlog_proof=bundle.tlog_proof.replace(b"index ", b"index 1"))
        assert verify(broken, Pins()).findings["included"].answer is Answer.NO

    def test_anchored_by_nodes(self, proven):
        number = blocks_to_ask(proven.bundle.anchors)[0][1]
        chain_id = proven.bundle.anchors[0].chain_id

        def by(*nodes):
            return verify(proven.bundle, Pins(proven.registry, (), nodes)).findings

        true = NodeAnswer("a", chain_id, {number: proven.block_hash}, number)
        lying = NodeAnswer("b", chain_id, {number: bytes(32)}, number)
        assert by(true)["anchored"].answer is Answer.YES
        assert by(true)["final"].code == "final.nodes"
        assert by(replace(true, finalized=number - 1))["final"].code == "final.not_yet"
        assert by(replace(true, finalized=None))["final"].code == "final.unknown"
        # What another chain calls final says nothing about this one.
        elsewhere = NodeAnswer("d", chain_id + 1, {}, 2**40)
        assert by(replace(true, finalized=None), elsewhere)["final"].code == "final.unknown"
        assert by(true, replace(true, finalized=None))["final"].code == "final.unknown"
        assert by(true, replace(elsewhere, finalized=0))["final"].code == "final.nodes"
        # A node that lags, or forgot, contradicts nothing.
        lagging = NodeAnswer("e", chain_id, {}, number)
        assert (by(lagging)["anchored"].code, by(lagging)["anchored"].answer) == ("node.no_block", Answer.NOT_CHECKED)
        assert by(lagging, true)["anchored"].answer is Answer.YES
        assert by(lagging, lying)["anchored"].answer is Answer.NO
        assert by(lying)["anchored"].code == "anchored.not_canonical"
        assert by(lying)["anchored"].answer is Answer.NO
        assert by(true, lying)["anchored"].code == "node.disagree"
        assert by(replace(true, chain_id=1))["anchored"].code == "node.other_chain"
        assert by(NodeAnswer("c", problem="node.unreachable"))["anchored"].code == "node.unreachable"
        assert by(NodeAnswer("c", problem="node.unreachable"), true)["anchored"].answer is Answer.YES

    def test_required_answers(self, proven):
        verdict = verify(proven.bundle, pins_for("--registry", proven), FILE)
        assert verdict.exit_code(parse_require("file, signatures", file_given=True)) == 0
        assert verdict.exit_code(parse_require("anchored", file_given=True)) == 2
        with pytest.raises(InvalidData, match=r"verify\.unknown_question"):
            parse_require("files", file_given=True)
        for nothing in ("", ",", "file,"):
            with pytest.raises(InvalidData, match=r"verify\.unknown_question"):
                parse_require(nothing, file_given=True)


def canonical(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def test_forged_bundles_never_get_a_yes_below_the_signatures(proven):
    with running_anvil() as forgers_chain:
        forged = forge(proven.bundle, forgers_chain.url)
    assert len(forged) == 5
    for trick, bundle in forged.items():
        read = bundles.parse(bundle.format(), contracts())
        for given in ("--registry --block-hash", "--registry --rpc", "--registry", ""):
            found = answers(verify(read, pins_for(given, proven), FILE))
            for name in ("included", "anchored", "final", "time"):
                assert found[name] != "yes", (trick, given, name)


def test_a_node_that_the_forger_runs_is_the_users_choice_and_named(proven):
    """With the forger's own node for --rpc the state proves: which is why the verdict names whose word it is."""
    with running_anvil("--chain-id", str(proven.bundle.anchors[0].chain_id)) as chain:
        forged = forge(proven.bundle, chain.url)["a chain where the true address holds what the forger wrote"]
        node = ask(chain.url, [number for _, number in blocks_to_ask(forged.anchors)])
        findings = verify(forged, Pins(proven.registry, (), (node,))).findings
    for name in ("included", "anchored", "time"):
        assert findings[name].answer is Answer.YES
        assert findings[name].trust == (Trust.NODES,)


def test_every_byte_of_a_bundle_changed_once(proven):
    """No change is taken for the truth but in what is not signed: the checkpoint's signature, and the chain's id."""
    data = proven.bundle.format()
    pins = pins_for("--registry --block-hash", proven)
    required = parse_require(None, file_given=True)
    note = data.index("— ".encode())
    free = set(range(note, data.index(b'"', note)))
    chain = data.index(b'"chain_id": ') + len(b'"chain_id": ')
    free |= set(range(chain, data.index(b",", chain)))
    survived = []
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        try:
            verdict = verify(bundles.parse(bytes(changed), contracts()), pins, FILE)
        except InvalidData:
            continue
        if verdict.exit_code(required) == 0:
            survived.append(position)
    assert set(survived) <= free
    assert survived, "the signature's bytes do not matter where the slot is proven"


def test_a_header_with_more_fields_than_today(proven):
    anchor = proven.bundle.anchors[0]
    longer = rlp.encode([*rlp.decode(anchor.header), b"\x07" * 32, b"", b"\x01"])
    bundle = replace(proven.bundle, anchors=(replace(anchor, header=longer),))
    pins = Pins(proven.registry, (keccak256(longer),))
    assert verify(bundle, pins, FILE).exit_code(QUESTIONS[:8]) == 0
    assert parse_header(longer).hash == keccak256(longer)


GUARD = """
import sys
def guard(event, arguments):
    if event.startswith(("socket.", "urllib.", "subprocess.", "os.exec", "os.fork")):
        raise SystemExit(f"not offline: {event}")
sys.addaudithook(guard)
from deedlog.api.cli import cli
try:
    cli(sys.argv[1:])
except SystemExit as stop:
    code = stop.code
heavy = sorted({"web3", "fastapi", "sqlalchemy", "sqlmodel", "httpx", "pydantic", "eth_account"} & set(sys.modules))
print("heavy:", heavy, file=sys.stderr)
sys.exit(code)
"""


def test_verifying_needs_no_socket_and_no_server_package(proven, tmp_path):
    bundle, file = tmp_path / "my.deed", tmp_path / "video.mp4"
    bundle.write_bytes(proven.bundle.format())
    file.write_bytes(b"not quite a video, but bytes are bytes")
    pins = ["--registry", "0x" + proven.registry.hex(), "--block-hash", "0x" + proven.block_hash.hex()]
    command = [sys.executable, "-c", GUARD, "verify", str(bundle), str(file), *pins]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"DEEDLOG_LANG": "en"}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "heavy: []" in done.stderr
    assert "All required answers (*) are yes." in done.stdout
