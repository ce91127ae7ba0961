"""A second history at the registry's address: on a chain that its identity does not list there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from forgery import forge
from support.worlds.chains.anvil import running_anvil
from support.worlds.chains.chain_world import FILE

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.deployment import creation_data
from deedlog.anchor.evm.identity import DETERMINISTIC_DEPLOYER
from deedlog.anchor.evm.state_proof import parse_header
from deedlog.anchor.rpc.contract_reader import ask
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.evidence.evm_slot import blocks_to_ask
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer
from deedlog.registry.errors import Unavailable
from deedlog.registry.hexadecimal import to_hex

ELSEWHERE = 8453


@pytest.fixture
def elsewhere():
    with running_anvil("--chain-id", str(ELSEWHERE)) as chain:
        yield chain


def test_anybody_who_deploys_the_identity_elsewhere_gets_no_contract(proven, elsewhere):
    """The first step of the attack: after it, the first operator key would anchor what it likes."""
    identity = proven.world.identity
    port = EvmChain(elsewhere.url)
    with pytest.raises(Unavailable, match=r"chain\.no_contract"):
        port.deploy_local(identity)
    transaction = {"to": to_hex(DETERMINISTIC_DEPLOYER), "data": to_hex(creation_data(identity)), "gas": hex(3_000_000)}
    with pytest.raises(Unavailable, match=r"chain\.refused"):
        port.development_request("eth_call", transaction, "latest")
    # The same bytes are good on a chain that is listed.
    assert EvmChain(proven.url).has_code(identity.address)


@pytest.mark.parametrize("vouched", ["block hash", "node", "both"])
def test_a_head_that_a_forger_wrote_elsewhere_is_refused(proven, elsewhere, vouched):
    """The forger owns the whole chain, so that the proofs hold; and the user believes its node and its block."""
    [forged] = forge(proven.bundle, elsewhere.url)["a chain where the true address holds what the forger wrote"].anchors
    bundle = replace(proven.bundle, anchors=(replace(forged, chain_id=ELSEWHERE),))
    bundle = bundles.parse(bundle.format(), contracts())
    hashes = () if vouched == "node" else (parse_header(forged.header).hash,)
    numbers = [number for _, number in blocks_to_ask(bundle.anchors)]
    nodes = () if vouched == "block hash" else (ask(elsewhere.url, numbers),)
    found = verify(bundle, Pins(proven.registry, hashes, nodes), FILE)
    assert (found.findings["anchored"].answer, found.findings["anchored"].code) == (
        Answer.NO,
        "registry.chain_not_listed",
    )
    assert not {"included", "final", "time"} & {
        name for name, finding in found.findings.items() if finding.answer is Answer.YES
    }
    assert found.exit_code(("anchored",)) == 1
