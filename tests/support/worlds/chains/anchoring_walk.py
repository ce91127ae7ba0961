"""Anchoring under a chain that misbehaves: rounds as the worker makes them, and what must hold after each."""

from __future__ import annotations

import dataclasses

from support.faults.reorganisation import blocks
from support.worlds.chains.mined_chain import MinedChain
from support.worlds.registries.registry_world import ALICE, OPERATOR, connect, open_world, salt, work

from deedlog.anchor.anchoring import attempt_store
from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.anchoring.anchorer import Anchorer
from deedlog.anchor.anchoring.chain_view import StopAnchoringError
from deedlog.anchor.anchoring.config import AnchoringConfig
from deedlog.anchor.log import store as log_store
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.registry.errors import DeedlogError
from deedlog.registry.store.tables import ATTEMPT, TRANSACTION

PUBLIC = 11155111
"""A chain id that is no development chain's: what is final there is final."""


class Walk:
    """A registry that anchors through `url`, on the real chain `anvil`, which may be the same."""

    def __init__(self, database, anvil, url=None, **chain):
        self.anvil = anvil
        self.world = connect(open_world(database), anvil.url, **({"chain_id": PUBLIC} | chain))
        self.truth = EvmChain(anvil.url)
        self.said: list[str] = []
        self.finals: dict[int, bytes] = {}
        self.count = 0
        self.through(url or anvil.url)

    def through(self, url) -> None:
        """Begin a new anchorer, as a new process does."""
        config = self.world.anchorer._config
        self.world.anchorer = Anchorer(self.world.database, MinedChain(url, self.anvil.url), config)

    def change_plan(self, operator_key=OPERATOR, **chain) -> None:
        config = self.world.anchorer._config
        changed = AnchoringConfig(
            dataclasses.replace(config.chain, **chain), config.identity, operator_key, config.interval
        )
        self.world.anchorer = Anchorer(self.world.database, self.world.anchorer._port, changed)

    def fill(self, count=1) -> None:
        for _ in range(count):
            self.count += 1
            self.world.accept(work(content=b"%d" % self.count, salt=salt(str(self.count))), ALICE)
        self.world.sequence()

    def round(self, seconds=1) -> set[str]:
        """Let one round pass, as the worker does; return the codes of what it says is wrong. Stops are raised."""
        self.world.now += seconds
        try:
            codes = set(self.world.anchorer.tick(self.world.now))
        except StopAnchoringError:
            raise
        except DeedlogError as error:
            codes = {error.code}
        self.said += sorted(codes)
        self.check_finals()
        return codes

    def rounds(self, count, seconds=1) -> set[str]:
        return set().union(*(self.round(seconds) for _ in range(count)))

    def anchors(self) -> list[anchor_store.StoredAnchor]:
        with self.world.database.read() as connection:
            return anchor_store.anchors(connection, 1000)

    def attempts(self):
        """Return (size, nonce, state) of each attempt, the oldest first."""
        with self.world.database.read() as connection:
            rows = connection.execute(ATTEMPT.select().order_by(ATTEMPT.c.id)).mappings()
            return [(row["size"], row["nonce"], row["state"]) for row in rows]

    def transactions(self) -> int:
        with self.world.database.read() as connection:
            return len(connection.execute(TRANSACTION.select()).all())

    def check_finals(self) -> None:
        """What was ever called final is in the chain, in that block; and it stays final."""
        newest = self.truth.tip().number
        final = {anchor.size: anchor for anchor in self.anchors() if anchor.final}
        for size in [size for size in sorted(final) if size not in self.finals] + sorted(final)[-2:]:
            anchor = final[size]
            assert anchor.proof_number <= newest, f"the anchor of {size} is final in a block that is not there"
            [block] = blocks(self.anvil, anchor.proof_number, anchor.proof_number)
            assert block["hash"] == "0x" + anchor.block_hash.hex(), f"the anchor of {size} is final in a lost block"
            held = self.truth.head_of(self.world.identity.address, anchor.root, newest)
            assert held is not None
            assert held.block_number == anchor.block_number
        assert {size: final[size].block_hash for size in self.finals if size in final} == self.finals
        self.finals = {size: anchor.block_hash for size, anchor in final.items()}

    def history(self, most=8) -> list[int]:
        """Return the sizes of the newest heads that the contract holds, the newest first."""
        at = self.truth.tip().number
        contract = self.world.identity.address
        size, root = self.truth.head(contract, at)
        sizes = []
        while size and len(sizes) < most:
            sizes.append(size)
            size = self.truth.head_of(contract, root, at).previous_size
            if size:
                with self.world.database.read() as connection:
                    root = log_store.checkpoint_of_size(connection, size)[0]
        return sizes

    def nonces_used(self) -> int:
        return self.truth.next_nonce(self.world.identity.operator, self.truth.tip().number)

    def check_settled(self) -> None:
        """All that is logged is anchored; what is kept is what the chain holds, head by head, and nothing is open."""
        with self.world.database.read() as connection:
            size = log_store.state(connection).size
        kept = self.anchors()[:8]
        assert [anchor.size for anchor in kept] == self.history()
        assert kept[0].size == size
        newest = self.truth.tip().number
        contract = self.world.identity.address
        for anchor in kept:
            assert self.truth.block_hash(anchor.proof_number) == anchor.block_hash
            held = self.truth.head_of(contract, anchor.root, newest)
            assert (held.size, held.previous_size, held.time, held.block_number) == (
                anchor.size,
                anchor.previous_size,
                anchor.time,
                anchor.block_number,
            )
        assert not [state for *_, state in self.attempts() if state in attempt_store.UNMINED]

    def settle(self, most=30) -> None:
        """Let rounds and blocks pass until all is anchored, and final."""
        for _ in range(most):
            self.anvil.request("anvil_mine", "0x1")
            self.round(self.world.anchorer._config.chain.resend)
            with self.world.database.read() as connection:
                size = log_store.state(connection).size
            found = self.anchors()
            if found and found[0].size == size and all(anchor.final for anchor in found):
                break
        self.check_settled()
        assert all(anchor.final for anchor in self.anchors())
