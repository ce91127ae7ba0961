"""A head with a wrong size, on a real chain: who refuses it, what it does to a contract, and the way out.

An RFC 6962 root does not bind its size, so the contract cannot tell. Whoever sends such a head past the one function
that gives heads out locks the log out of that contract for good; what was anchored before stays.
"""

from __future__ import annotations

import dataclasses

import pytest
from support.worlds.chains.chain_world import anchor_by_hand
from support.worlds.registries.registry_world import ALICE, OPERATOR, connect, open_world, salt, work

from deedlog.anchor import bundle_builder
from deedlog.anchor.anchoring import attempt_store
from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.anchoring.chain_port import AnchorCall
from deedlog.anchor.anchoring.chain_view import StopAnchoringError, prove
from deedlog.anchor.audit.audit import audit_log
from deedlog.anchor.evm.state_proof import parse_header
from deedlog.anchor.fsck.database import DatabaseSource
from deedlog.anchor.log import store as log_store
from deedlog.anchor.rpc.contract_reader import NodeContract
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.anchor.tlog import tiles
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer
from deedlog.registry.errors import InvalidData, VerificationError
from deedlog.registry.store import statements as store
from deedlog.registry.store.database import Database
from deedlog.registry.store.tables import CHECKPOINT, LOG

BEFORE, SIZE = 5, 12
"""Entries anchored in order, and entries of the head that is labelled wrongly."""


class Accident:
    """A log whose first head is in the contract, and its operator's key in a hand that checks nothing."""

    def __init__(self, folder, chain) -> None:
        self.world = connect(open_world(Database(f"sqlite:///{folder / 'deedlog.sqlite'}")), chain.url)
        self.port = EvmChain(chain.url)
        self.digests = []
        self.log(BEFORE)
        self.world.anchor()
        self.log(SIZE - BEFORE)

    @property
    def contract(self) -> bytes:
        return self.world.identity.address

    def log(self, count) -> None:
        for number in range(len(self.digests), len(self.digests) + count):
            made = work(content=b"%d" % number, salt=salt(str(number)))
            self.digests.append(self.world.accept(made, ALICE).digest)
        self.world.sequence()

    def honest(self, start, size, contract=None) -> AnchorCall:
        """Return the call that anchors the log's own head of that size, with its proof from `start` entries."""
        with self.world.database.read() as connection:
            reader = log_store.tile_reader(connection)
            proof = tiles.consistency_proof(reader, start, size) if start else []
            root = tiles.root(reader, size)
        return AnchorCall(contract or self.contract, start, size, root, tuple(proof))

    def head(self, contract=None):
        return self.port.head(contract or self.contract, self.port.tip().number)

    def nonce(self):
        return self.port.next_nonce(self.world.identity.operator, self.port.tip().number)

    def send(self, call) -> None:
        self.port.simulate(call, self.world.identity.operator)
        anchor_by_hand(self.port, call, OPERATOR, 31337)
        assert self.head(call.contract) == (call.size, call.root)

    def happen(self, label) -> None:
        self.send(dataclasses.replace(self.honest(BEFORE, SIZE), size=label))

    def refused(self, call) -> bool:
        try:
            self.port.simulate(call, self.world.identity.operator)
        except InvalidData as error:
            return error.code == "chain.would_revert"
        return False

    def shows(self, contract, index) -> bool:
        """Return what `verifyEntry` of that contract says of an entry of the log, under its newest head."""
        size, root = self.head(contract)
        with self.world.database.read() as connection:
            [entry] = store.entries_between(connection, index, index + 1)
            proof = tiles.inclusion_proof(log_store.tile_reader(connection), index, size)
        data = self.port._contract.encode_abi("verifyEntry", args=[entry, index, root, list(proof)])
        call = {"to": "0x" + contract.hex(), "data": str(data)}
        return int(self.port.development_request("eth_call", call, "latest"), 16) == 1


@pytest.fixture
def accident(tmp_path, anvil):
    return Accident(tmp_path, anvil)


LABELS = pytest.mark.parametrize("label", [SIZE - 1, SIZE + 1])


@LABELS
def test_a_head_whose_label_is_wrong_in_the_database_is_not_sent(accident, label):
    """The whole database agrees on the label: only the leaf hashes do not."""
    contract, nonce = accident.head(), accident.nonce()
    with accident.world.database.write() as connection:
        for changed in (CHECKPOINT, LOG):
            connection.execute(changed.update().where(changed.c.size == SIZE).values(size=label))
    accident.world.now += 10
    with pytest.raises(InvalidData, match=r"log\.head_mislabelled"):
        accident.world.anchorer.tick(accident.world.now)
    assert accident.head() == contract
    assert accident.nonce() == nonce
    with accident.world.database.read() as connection:
        assert attempt_store.open_attempt(connection, 31337) is None


@LABELS
def test_the_contract_takes_a_wrong_label_and_then_no_honest_head(accident, label):
    accident.happen(label)
    accident.log(30)
    for size in (label + 1, label + 2, 16, 17, 24, 32, 41, 42):
        for start in (label, SIZE, BEFORE):
            # Also the proofs from what the tree of that root truly was, and from the head before.
            if size > start:
                assert accident.refused(dataclasses.replace(accident.honest(start, size), from_size=label)), (
                    start,
                    size,
                )
    assert accident.head() == (label, accident.honest(0, SIZE).root)


def test_the_anchorer_and_the_audit_name_a_wrong_label_below_the_logs_size(accident):
    accident.happen(SIZE - 1)
    stops(accident, "anchoring.foreign_head")
    assert audit(accident) == ("audit.foreign_head", SIZE - 1)


def test_the_anchorer_and_the_audit_name_a_wrong_label_above_the_logs_size(accident):
    """As long as the log is smaller than the label, it looks like an old backup: which stops everything as well."""
    accident.happen(SIZE + 1)
    stops(accident, "anchoring.database_behind")
    assert audit(accident) == ("audit.contract_ahead", SIZE + 1)
    accident.log(5)
    stops(accident, "anchoring.foreign_head")
    assert audit(accident) == ("audit.foreign_head", SIZE + 1)


def stops(accident, code):
    accident.world.now += 10
    with pytest.raises(StopAnchoringError) as caught:
        accident.world.anchorer.tick(accident.world.now)
    assert caught.value.code == code


def audit(accident):
    with (
        NodeContract(accident.port._url, accident.contract) as contract,
        accident.world.database.read() as connection,
        pytest.raises(VerificationError) as caught,
    ):
        audit_log(DatabaseSource(connection), accident.world.identity.verifier_key, contract=contract)
    return caught.value.code, caught.value.params["size"]


def test_the_way_out_is_a_contract_with_another_salt(accident):
    old = accident.world.identity
    kept = accident.world.bundle(accident.digests[0])
    accident.happen(SIZE - 1)
    successor = dataclasses.replace(old, salt=b"\x01" * 32)
    assert successor.address != old.address
    accident.port.deploy_local(successor)

    # The log's honest head is its first, and needs no proof; from there it goes on.
    accident.send(accident.honest(0, SIZE, successor.address))
    accident.log(30)
    accident.send(accident.honest(SIZE, 42, successor.address))
    assert accident.refused(dataclasses.replace(accident.honest(SIZE - 1, 42), from_size=SIZE - 1))

    # What was anchored before the accident is in the old contract, and is proven against the old address.
    tip = accident.port.tip()
    first = accident.port.head_of(old.address, accident.honest(0, BEFORE).root, tip.number)
    assert (first.size, first.previous_size) == (BEFORE, 0)
    for bundle in (kept, accident.world.bundle(accident.digests[0])):
        verdict = verify(bundle, Pins(old.address, (parse_header(bundle.anchors[0].header).hash,)))
        for name in ("signatures", "complete", "included", "anchored", "time"):
            assert verdict.findings[name].answer is Answer.YES, (name, verdict.findings[name].code)

    # An entry from after the accident is shown by the successor; in the old contract it never will be.
    assert accident.shows(successor.address, 0)
    assert accident.shows(successor.address, 41)
    after = accident.world.bundle(accident.digests[41])
    assert after.anchors == ()
    verdict = verify(after, Pins(old.address))
    assert verdict.findings["included"].code == "included.log_key"
    assert verdict.findings["anchored"].answer is not Answer.YES


def test_a_statement_is_signed_for_one_address_so_its_bundle_does_not_move_to_the_successor(accident):
    old = accident.world.identity
    successor = dataclasses.replace(old, salt=b"\x01" * 32)
    accident.port.deploy_local(successor)
    accident.send(accident.honest(0, SIZE, successor.address))
    config = dataclasses.replace(accident.world.anchorer._config, identity=successor)
    anchored = prove(accident.port, config, accident.port.tip(), accident.honest(0, SIZE).root)
    with accident.world.database.write() as connection:
        anchor_store.put_anchor(connection, anchored)
        bundle = bundle_builder.make_bundle(connection, successor, accident.digests[SIZE - 1])
    assert len(bundle.anchors) == 1
    verdict = verify(bundle, Pins(successor.address, (anchored.block_hash,)))
    found = {name: verdict.findings[name].answer for name in ("signatures", "complete", "included", "anchored")}
    assert set(found.values()) == {Answer.NO}, found
