"""Whatever anybody does, every head that was ever accepted stays as it was: a long random walk against a model."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from eth_account import Account


@dataclass
class Model:
    """What must be true: the heads so far, the last of them, and who may do what."""

    heads: dict[bytes, tuple[int, ...]] = field(default_factory=dict)
    size: int = 0
    last: bytes = bytes(32)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_head_is_ever_changed_or_lost(contract, tree, evm, seed):
    chance = random.Random(seed)
    model = Model()
    forks = [type(tree)([b"fork %d" % index, *tree.entries[1:]]) for index in range(3)]
    for _ in range(40):
        log = chance.choice([*[tree] * 6, *forks])
        start = chance.choice([*[model.size] * 4, chance.randrange(12)])
        size = min(64, chance.choice([start + 1, start + 1, start + 3, start, max(0, start - 1)]))
        proof = log.growth(start, size)[3] if 0 < start < size else []
        if proof and chance.random() < 0.2:
            proof = [*proof[:-1], bytes(32)]
        key = chance.choice([*[contract.operator] * 4, evm.keys[8]])
        call = ("anchor", start, size, log.root(size), proof)
        # The first head may be any log's: from then on it is this log, or no head at all.
        first = log if model.size == 0 else None
        honest = start == model.size and start < size and (log is tree or first) and bytes(32) not in proof
        if contract.refusal(*call, key=key) is None:
            assert honest
            assert key == contract.operator
            if first:
                tree, forks = log, [other for other in [tree, *forks] if other is not log]
            receipt = contract.send(*call, key=key)
            block = evm.web3.eth.get_block(receipt["blockNumber"])
            model.heads[log.root(size)] = (size, block["timestamp"], start, block["number"])
            model.size, model.last = size, log.root(size)
        else:
            assert not honest or key != contract.operator
            assert evm.send(contract.address, contract.data(*call), key)["status"] == 0
        if chance.random() < 0.15:
            contract.operator = chance.choice(evm.keys[2:7])
            contract.send("setOperator", Account.from_key(contract.operator).address, key=contract.owner)
        if chance.random() < 0.1:
            contract.send("setLogKey", chance.randbytes(32), key=contract.owner)
        assert contract.read("head")[:2] == (model.size, model.last)
        assert {root: contract.read("headOf", root) for root in model.heads} == model.heads
    assert len(model.heads) >= 5
