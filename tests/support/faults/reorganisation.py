"""Reorganisations of a real anvil, by its own `anvil_reorg`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx


def reorganise(anvil, depth: int, transactions: Sequence[tuple[str | dict[str, Any], int]] = ()) -> list[str]:
    """Replace the newest `depth` blocks by as many others, and return the raw transactions that those held, in order.

    `transactions` are what the new blocks hold: each a raw transaction or a call that anvil signs, and in which of
    them, from 0. What was taken out comes back only so, or where a test sends it again; a real node would put it
    back in its pool. anvil drops from its pool what follows a nonce that was taken out.

    anvil puts its clock back to the last block that stayed, for good: later blocks would be dated too early by that
    block's age, which on a busy machine is more than an audit allows. So the clock is set right again.
    """
    newest = int(anvil.request("eth_blockNumber"), 16)
    taken_out = [
        anvil.request("eth_getRawTransactionByHash", transaction)
        for block in blocks(anvil, newest - depth + 1, newest)
        for transaction in block["transactions"]
    ]
    anvil.request("anvil_reorg", depth, [list(pair) for pair in transactions])
    anvil.request("evm_setTime", int(time.time()))
    return taken_out


def blocks(anvil, first: int, last: int) -> list[dict[str, Any]]:
    """Return the blocks from `first` to `last`, asked as one batch."""
    batch = [
        {"jsonrpc": "2.0", "id": number, "method": "eth_getBlockByNumber", "params": [hex(number), False]}
        for number in range(first, last + 1)
    ]
    answers = httpx.post(anvil.url, json=batch).json()
    assert [answer["id"] for answer in answers] == list(range(first, last + 1))
    return [answer["result"] for answer in answers]
