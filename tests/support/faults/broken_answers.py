"""Answers of a node that are none, and the methods that the anchorer asks."""

from __future__ import annotations

from support.faults.node_faults import answer, body, cut, cut_short, lost, rpc_error, status, zeros

METHODS = (
    "eth_chainId",
    "eth_getBlockByNumber",
    "eth_call",
    "eth_getProof",
    "eth_getTransactionCount",
    "eth_getBalance",
    "eth_maxPriorityFeePerGas",
    "eth_sendRawTransaction",
)

BROKEN = {
    "429": status(429),
    "500": status(500),
    "503": status(503),
    "cut": cut,
    "lost": lost,
    "cut short": cut_short,
    "rate limit": rpc_error(-32005, "rate limited"),
    "null": answer(None),
    "{}": answer({}),
    "[]": answer([]),
    "0x": answer("0x"),
    "a number": answer(7),
    "below zero": answer("-0x1"),
    "huge": answer("0x" + "f" * 65),
    "wide": answer(hex(2**63)),
    "list": body(b"[]"),
    "no JSON": body(b"<html>"),
    "no result": body(b'{"jsonrpc":"2.0","id":1}'),
    "deep": body(b"[" * 100_000),
    "endless": zeros(50 * 1024 * 1024),
}
