"""The owner names another operator: what the old key still does, and how the new one goes on."""

from __future__ import annotations

import dataclasses

import pytest
from support.faults.reorganisation import reorganise
from support.worlds.registries.registry_world import ALICE, OPERATOR, OWNER, connect, open_world, person, salt, work

from deedlog.anchor.anchoring import attempt_store
from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.anchoring.anchorer import Anchorer
from deedlog.anchor.anchoring.config import AnchoringConfig
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.signatures import account_of_private_key
from deedlog.registry.store.tables import ATTEMPT, TRANSACTION

SUCCESSOR = person("the next operator")
CHAIN_ID = 31337


class Change:
    """A registry whose owner is at hand, on a chain that waits to mine when it is told to."""

    def __init__(self, database, anvil) -> None:
        self.world = connect(open_world(database), anvil.url)
        self.anvil = anvil
        self.port = self.world.anchorer._port
        for account in (OWNER, SUCCESSOR):
            anvil.request("anvil_setBalance", to_hex(account_of_private_key(account)), hex(10**20))
        anvil.request("anvil_impersonateAccount", to_hex(account_of_private_key(OWNER)))
        anvil.request("evm_mine")
        self.old = self.world.anchorer
        config = self.old._config
        self.new = Anchorer(
            database, self.port, AnchoringConfig(config.chain, config.identity, SUCCESSOR, config.interval)
        )
        self.count = 0

    def fill(self, count) -> None:
        for number in range(self.count, self.count + count):
            self.world.accept(work(content=b"%d" % number, salt=salt(str(number))), ALICE)
        self.count += count
        self.world.sequence()

    def set_operator(self, key=SUCCESSOR, **more: str) -> dict[str, str]:
        """Let the owner name the account of this key, in a block of its own; return the call."""
        data = self.port._contract.encode_abi("setOperator", args=[to_checksum(account_of_private_key(key))])
        call = {
            "from": to_hex(account_of_private_key(OWNER)),
            "to": to_hex(self.world.identity.address),
            "data": str(data),
            "gas": hex(100_000),
            **more,
        }
        self.anvil.request("eth_sendTransaction", call)
        self.anvil.request("evm_mine")
        assert self.port.operator(self.world.identity.address, self.port.tip().number) == account_of_private_key(key)
        return call

    def tick(self, anchorer, times=1):
        for _ in range(times):
            self.world.now += 1
            alarms = anchorer.tick(self.world.now)
        return alarms

    def leave_open(self) -> None:
        """Let the old operator send a transaction that the node then forgets."""
        self.anvil.automine(on=False)
        self.tick(self.old)
        self.anvil.request("anvil_dropAllTransactions")
        self.anvil.automine(on=True)
        with self.world.database.read() as connection:
            assert attempt_store.open_attempt(connection, CHAIN_ID).state == "sent"

    def nonce(self, key):
        return self.port.next_nonce(account_of_private_key(key), self.port.tip().number)

    def pass_nonces(self, key, count) -> None:
        """Let an account send something of no meaning."""
        account = to_hex(account_of_private_key(key))
        self.anvil.request("anvil_impersonateAccount", account)
        for _ in range(count):
            self.anvil.request("eth_sendTransaction", {"from": account, "to": account, "gas": hex(21_000)})
            self.anvil.request("evm_mine")

    def states(self):
        with self.world.database.read() as connection:
            rows = connection.execute(ATTEMPT.select().order_by(ATTEMPT.c.id)).mappings()
            return [(row["size"], row["nonce"], row["state"]) for row in rows]

    def fees(self):
        """Return the fee that each transaction offers, the oldest first."""
        with self.world.database.read() as connection:
            rows = connection.execute(TRANSACTION.select().order_by(TRANSACTION.c.created_at))
            return [int(row["max_fee"]) for row in rows.mappings()]

    def anchors(self):
        with self.world.database.read() as connection:
            return [(found.size, found.final) for found in anchor_store.anchors(connection, 100)]


@pytest.fixture
def change(database, anvil):
    return Change(database, anvil)


def test_the_old_key_says_so_and_sends_nothing_and_the_new_one_goes_on(change):
    change.fill(3)
    change.tick(change.old, 4)
    change.set_operator()
    change.fill(2)
    for _ in range(3):
        alarms = change.tick(change.old)
        assert alarms["worker.other_operator"] == {
            "expected": to_checksum(account_of_private_key(SUCCESSOR)),
            "actual": to_checksum(account_of_private_key(OPERATOR)),
        }
    assert change.nonce(OPERATOR) == 1
    assert change.states() == [(3, 0, "final")]
    # Accepting and sequencing went on; the new key anchors what has come.
    # A round more: its nonce is not the one that follows the old key's.
    assert "worker.other_operator" not in change.tick(change.new, 5)
    assert change.anchors() == [(5, True), (3, True)]
    assert change.states() == [(3, 0, "final"), (5, 0, "final")]


def test_a_transaction_that_the_contract_refuses_is_told_of_until_a_later_one_is_taken(change):
    """Sent as the operator, and mined after the owner has named another."""
    change.fill(3)
    change.anvil.automine(on=False)
    change.tick(change.old)
    change.set_operator(gasPrice=hex(10**12))
    change.anvil.automine(on=True)
    assert set(change.tick(change.old)) == {"worker.other_operator"}
    assert change.anchors() == []
    change.set_operator(OPERATOR)
    account = to_checksum(account_of_private_key(OPERATOR))
    assert change.tick(change.old)["alarm.reverted"] == {"account": account, "nonce": 0, "size": 3}
    assert change.tick(change.old, 5) == {}
    assert change.states() == [(3, 0, "reverted"), (3, 1, "final")]
    assert change.anchors() == [(3, True)]


@pytest.mark.parametrize("used", [0, 1, 2])
def test_an_open_attempt_of_the_old_operator_does_not_hold_the_new_one_up(change, used):
    """Its nonce, 1, is the old account's: above, at and below the new account's next."""
    change.fill(3)
    change.tick(change.old, 4)
    change.fill(2)
    change.leave_open()
    change.set_operator()
    change.pass_nonces(SUCCESSOR, used)
    alarms = change.tick(change.new)
    assert alarms == {}
    assert change.states() == [(3, 0, "final"), (5, 1, "abandoned")]
    assert change.tick(change.new, 4) == {}
    assert change.states() == [(3, 0, "final"), (5, 1, "abandoned"), (5, used, "final")]
    assert change.anchors() == [(5, True), (3, True)]
    assert change.nonce(OPERATOR) == 1
    assert change.nonce(SUCCESSOR) == used + 1
    # Nor does it pay for replacing what it did not send.
    assert change.fees()[-1] <= change.fees()[-2]


def test_what_the_old_operator_anchored_just_before_is_success(change):
    change.fill(3)
    change.anvil.automine(on=False)
    change.tick(change.old)
    change.anvil.request("evm_mine")
    change.anvil.automine(on=True)
    change.set_operator()
    assert change.tick(change.new, 4) == {}
    assert change.states() == [(3, 0, "final")]
    assert change.anchors() == [(3, True)]
    assert change.nonce(SUCCESSOR) == 0


def test_a_reorganisation_after_the_change_is_anchored_again_by_the_new_operator(change):
    config = change.new._config
    patient = dataclasses.replace(config, chain=dataclasses.replace(config.chain, confirmations=5))
    change.old = Anchorer(change.world.database, change.port, dataclasses.replace(patient, operator_key=OPERATOR))
    change.new = Anchorer(change.world.database, change.port, patient)
    change.fill(3)
    change.tick(change.old, 3)
    assert change.anchors() == [(3, False)]
    call = change.set_operator()
    reorganise(change.anvil, 3, [(call, 0)])  # the anchor's block, and two for the change
    change.tick(change.new)
    assert change.states() == [(3, 0, "abandoned")]
    assert change.anchors() == []
    change.tick(change.new, 2)
    change.anvil.request("anvil_mine", "0x5")
    change.tick(change.new, 2)
    assert change.states() == [(3, 0, "abandoned"), (3, 0, "final")]
    assert change.anchors() == [(3, True)]
    assert (change.nonce(OPERATOR), change.nonce(SUCCESSOR)) == (0, 1)


def test_what_became_of_the_old_operators_last_attempt_is_not_said_of_the_new_one(change):
    change.fill(3)
    change.leave_open()
    change.pass_nonces(OPERATOR, 1)  # whoever has stolen the key
    change.world.now += change.old._config.chain.resend
    assert "alarm.nonce_taken" in change.tick(change.old)
    change.set_operator()
    assert "alarm.nonce_taken" not in change.tick(change.new)
    assert change.tick(change.new, 4) == {}
    assert change.anchors() == [(3, True)]
