"""Transactions that do not come through, and nonces that others use: what becomes of the attempt, and what is said.

After every round the anchors that are called final are compared with the real chain (`anchoring_walk`).
"""

from __future__ import annotations

from eth_account import Account
from support.faults.node_faults import answer
from support.worlds.chains.anchoring_walk import PUBLIC
from support.worlds.registries.registry_world import OPERATOR


def test_a_transaction_that_never_mines_is_an_alarm_with_a_deadline(walk, chain):
    chain.automine(on=False)
    walk.fill()
    codes = walk.rounds(30, seconds=walk.world.anchorer._config.chain.resend)
    assert {"alarm.anchor_late", "alarm.fee_limit"} <= codes
    assert [state for *_, state in walk.attempts()] == ["sent"]
    chain.automine(on=True)
    walk.settle()
    assert walk.nonces_used() == 1


def test_a_fee_spike_is_waited_out_within_the_limit(walk, chain):
    limit = 20 * 10**9
    walk.change_plan(max_fee=limit)
    chain.request("anvil_setNextBlockBaseFeePerGas", hex(10**12))
    chain.request("evm_mine")
    walk.fill()
    codes = walk.rounds(8, seconds=walk.world.anchorer._config.chain.resend)
    assert "alarm.fee_limit" in codes
    assert walk.nonces_used() == 0
    with walk.world.database.read() as connection:
        offered = connection.exec_driver_sql("SELECT max_fee FROM anchor_transaction").scalars().all()
    assert max(map(int, offered)) <= limit
    chain.request("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    chain.request("evm_mine")
    walk.settle()
    assert walk.nonces_used() == 1


def test_a_tip_that_a_node_made_up_stays_within_the_limit(walk, faulty):
    faulty.fault("eth_maxPriorityFeePerGas", answer(hex(10**20)))
    walk.fill()
    walk.settle()
    with walk.world.database.read() as connection:
        offered = connection.exec_driver_sql("SELECT max_fee FROM anchor_transaction").scalars().all()
    assert max(map(int, offered)) <= walk.world.anchorer._config.chain.max_fee


def test_an_empty_account_is_an_alarm_until_it_is_funded(walk, chain):
    operator = "0x" + walk.world.identity.operator.hex()
    chain.request("anvil_setBalance", operator, "0x0")
    chain.request("evm_mine")
    walk.fill()
    assert walk.rounds(4) >= {"alarm.balance_low", "alarm.not_taken"}
    chain.request("anvil_setBalance", operator, hex(10**18))
    chain.request("evm_mine")
    walk.settle()
    assert walk.round() == set()


def of_operator(nonce):
    """Return a raw transaction of the operator's key that this registry did not make."""
    return Account.sign_transaction(
        {
            "type": 2,
            "chainId": PUBLIC,
            "nonce": nonce,
            "to": "0x" + "11" * 20,
            "value": 1,
            "gas": 21_000,
            "maxFeePerGas": 100 * 10**9,
            "maxPriorityFeePerGas": 10**9,
        },
        OPERATOR,
    ).raw_transaction


def test_a_nonce_used_by_somebody_else_is_an_alarm_and_anchoring_goes_on(walk, chain):
    chain.automine(on=False)
    walk.fill()
    walk.rounds(1)
    chain.request("anvil_dropAllTransactions")
    chain.request("eth_sendRawTransaction", "0x" + of_operator(0).hex())
    chain.request("evm_mine")
    chain.automine(on=True)
    codes = walk.rounds(8, seconds=2)
    assert "alarm.nonce_taken" in codes
    walk.settle()
    assert [(nonce, state) for _, nonce, state in walk.attempts()] == [(0, "nonce_taken"), (1, "final")]
    assert walk.round() == set()


def test_a_nonce_that_the_node_counted_too_high_is_given_up(walk, faulty):
    walk.fill()
    faulty.fault("eth_getTransactionCount", answer("0x5"), times=1)
    walk.rounds(1)
    assert [(nonce, state) for _, nonce, state in walk.attempts()] == [(5, "sent")]
    walk.settle()
    assert [(nonce, state) for _, nonce, state in walk.attempts()] == [(5, "abandoned"), (0, "final")]
    # What was sent with the nonce that comes up later is void by then, and harms nothing.
    for _ in range(8):
        walk.fill()
        walk.settle()


def stuck_at_the_limit(walk, chain, faulty):
    """Let an attempt wait that cannot be replaced within the limit, and be given up by two wrong answers."""
    walk.fill()
    walk.settle()
    chain.automine(on=False)
    tip = walk.truth.tip()
    walk.change_plan(max_fee=walk.truth.fees(tip).max_fee * 11 // 10)
    walk.fill()
    walk.rounds(2)
    assert "alarm.fee_limit" in walk.rounds(2, seconds=5)
    faulty.fault("eth_getTransactionCount", answer("0x0"))
    walk.rounds(1, seconds=5)
    assert walk.attempts()[-1] == (2, 1, "sent")  # one answer does not do it
    walk.rounds(1, seconds=5)
    assert walk.attempts()[-1] == (2, 1, "abandoned")
    faulty.heal()


def test_what_was_given_up_and_is_signed_again_to_the_byte_goes_on(walk, faulty, chain):
    stuck_at_the_limit(walk, chain, faulty)
    walk.rounds(2)
    assert walk.attempts() == [(1, 0, "final"), (2, 1, "sent")]
    chain.automine(on=True)
    walk.settle()


def test_a_transaction_of_an_attempt_that_was_given_up_and_comes_up_is_no_theft(walk, faulty, chain):
    stuck_at_the_limit(walk, chain, faulty)
    with walk.world.database.read() as connection:
        [[raw]] = connection.exec_driver_sql("SELECT raw FROM anchor_transaction ORDER BY created_at DESC LIMIT 1")
    walk.change_plan(max_fee=500 * 10**9)
    walk.fill()
    walk.rounds(1)
    assert walk.attempts()[-2:] == [(2, 1, "abandoned"), (3, 1, "sent")]
    chain.request("anvil_dropAllTransactions")
    chain.request("eth_sendRawTransaction", "0x" + raw.hex())
    chain.request("evm_mine")
    chain.automine(on=True)
    codes = walk.rounds(8, seconds=2)
    assert "alarm.nonce_taken" not in codes
    walk.settle()
    assert [state for *_, state in walk.attempts()][-2:] == ["abandoned", "final"]


def test_a_nonce_that_was_used_before_ours_could_be_paid_for_is_noticed(walk, chain):
    operator = "0x" + walk.world.identity.operator.hex()
    chain.request("anvil_setBalance", operator, "0x0")
    chain.request("evm_mine")
    walk.fill()
    assert "alarm.not_taken" in walk.rounds(3)
    chain.request("anvil_setBalance", operator, hex(10**18))
    chain.request("eth_sendRawTransaction", "0x" + of_operator(0).hex())
    assert walk.nonces_used() == 1
    walk.rounds(3, seconds=5)
    assert walk.attempts()[0] == (1, 0, "nonce_taken")
    walk.settle()
