"""On which chains the contract can be made: those that its arguments list, and no other."""

from __future__ import annotations

import dataclasses

import eth_abi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deedlog.anchor.contract import rights_anchor
from deedlog.registry.errors import InvalidData

LARGEST = 2**64 - 1
ARGUMENTS = ["string", "bytes32", "address", "address", "uint64[]"]


def construct(contract, chains):
    """Return the error that creation with these chains ends in, or None."""
    identity = contract.identity
    members = [identity.origin, identity.log_key, identity.owner, identity.operator, chains]
    code = bytes.fromhex(rights_anchor()["creation_code"][2:]) + eth_abi.encode(ARGUMENTS, members)
    return contract.evm.refusal(None, code)


def expected(here: int, chains: list[int]):
    """Return the error, from the rule in words: 1 to 8, ascending, each once, none zero, this one among them."""
    if not 1 <= len(chains) <= 8 or 0 in chains or chains != sorted(set(chains)):
        return "ChainsRefused", tuple(chains)
    return None if here in chains else ("ChainNotListed", here, tuple(chains))


def examples(here: int) -> dict[str, list[int]]:
    return {
        "this chain": [here],
        "eight": [here, *range(here + 1, here + 8)],
        "this one last": [1, 2, here],
        "this one in the middle": [1, here, LARGEST],
        "none": [],
        "nine": [here, *range(here + 1, here + 9)],
        "zero": [0, here],
        "zero alone": [0],
        "descending": [here, 1],
        "the last two descending": [1, here, here - 1],
        "twice": [here, here],
        "another": [here + 1],
        "others": [1, here - 1, here + 1, LARGEST],
        "this one modulo 2^32": [here + 2**32],
        "a hundred": list(range(here, here + 100)),
    }


def test_lists_are_judged_by_the_rule(contract):
    here = contract.evm.chain_id
    for name, chains in examples(here).items():
        assert construct(contract, chains) == expected(here, chains), name


@pytest.mark.on_one_evm
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_list_is_judged_by_the_rule(contract, data):
    here = contract.evm.chain_id
    some = st.sampled_from([here, here, here - 1, here + 1, 0, 1, LARGEST]) | st.integers(0, LARGEST)
    chains = data.draw(st.lists(some, max_size=10) | st.lists(some, max_size=10, unique=True).map(sorted))
    assert construct(contract, chains) == expected(here, chains)


def test_lists_are_judged_as_in_python(contract):
    """Where numbers are read as JSON (up to 2^53 - 1), what Python refuses the constructor refuses too."""
    here = contract.evm.chain_id
    for name, chains in examples(here).items():
        if chains and chains[-1] == LARGEST:
            continue
        error = construct(contract, chains)
        if error is not None and error[0] == "ChainsRefused":
            with pytest.raises(InvalidData, match=r"registry\.chains"):
                dataclasses.replace(contract.identity, chains=tuple(chains))
        else:
            assert dataclasses.replace(contract.identity, chains=tuple(chains)).chains == tuple(chains), name


def test_the_same_identity_cannot_be_made_on_another_chain(contract, evm):
    """Without the list it could be: with an empty history, that the first operator key may begin."""
    if not evm.is_anvil:
        pytest.skip("py-evm cannot change its chain id")
    here = evm.chain_id
    identity = dataclasses.replace(contract.identity, salt=bytes(32))
    creation = identity.initialisation_code()
    evm.request("anvil_setChainId", here + 1)
    try:
        assert evm.refusal(None, creation) == ("ChainNotListed", here + 1, (here,))
        assert evm.deploy(identity, evm.keys[0])["status"] == 0
        assert not evm.code(identity.address)
    finally:
        evm.request("anvil_setChainId", here)
    assert evm.deploy(identity, evm.keys[0])["status"] == 1


def test_a_chain_that_is_not_listed_refuses(contract, evm):
    identity = dataclasses.replace(contract.identity, chains=(evm.chain_id + 1, evm.chain_id + 2))
    assert evm.refusal(None, identity.initialisation_code()) == ("ChainNotListed", evm.chain_id, identity.chains)
    assert evm.deploy(identity, evm.keys[0])["status"] == 0
    assert not evm.code(identity.address)
