"""From a video to its verdict on a real chain, in one process."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from support.worlds.registries.registry_world import ALICE, PLATFORM_KEY, VIDEO, connect, open_world, rendition, work

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.state_proof import parse_header
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer
from deedlog.registry.file_digest import FileDigest
from deedlog.registry.statements.signatures import account_of_private_key


@pytest.fixture
def world(database, anvil):
    return connect(open_world(database), anvil.url)


def test_a_work_goes_from_file_to_verdict(world):
    accepted = world.accept(work(), ALICE)
    assert accepted.outcome == "accepted"
    made = world.accept(rendition(accepted.digest), PLATFORM_KEY)
    assert world.sequence() == 2
    world.anchor()
    data = world.bundle(accepted.digest).format()
    bundle = bundles.parse(data, contracts())
    assert bundle.format() == data
    block_hash = parse_header(bundle.anchors[0].header).hash
    pins = Pins(registry=world.identity.address, block_hashes=(block_hash,))
    file = FileDigest(hashlib.sha256(VIDEO).digest(), len(VIDEO))
    verdict = verify(bundle, pins, file)
    answers = {name: str(finding.answer) for name, finding in verdict.findings.items()}
    assert answers == {
        **dict.fromkeys(
            ("file", "author", "signatures", "complete", "included", "anchored", "final", "time"), str(Answer.YES)
        ),
        "standing": str(Answer.NOT_CHECKED),
    }
    smaller = FileDigest(hashlib.sha256(b"smaller").digest(), 7)
    pins = replace(pins, makers=(account_of_private_key(PLATFORM_KEY),))
    verdict = verify(bundle, pins, smaller, rendition=world.bundle(made.digest))
    assert verdict.findings["file"].code == "file.rendition"
