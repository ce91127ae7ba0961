"""Reads the chains file: the chains that a registry can anchor on (`anchor/rpc/chains.json`, or the operator's own)."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from deedlog.anchor.evm.network import Chain
from deedlog.registry import strict_json
from deedlog.registry.errors import InvalidData, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

MAXIMUM_FILE = 256 * 1024
_MEMBERS = ("chain_id", "rpc_url", "confirmations", "poll_milliseconds", "resend_seconds", "max_fee_gwei")


def chain_named(name: str, path: Path | None = None) -> Chain:
    """Return the chain of that name from the file at `path` (default: the packaged file).

    Raises `Unavailable` (`chains.unreadable`) or `InvalidData` (`chains.unknown`, `chains.malformed`).
    """
    try:
        data = (files("deedlog.anchor.rpc") / "chains.json").read_bytes() if path is None else path.read_bytes()
        chains: Any = strict_json.loads(data, MAXIMUM_FILE)
    except (OSError, strict_json.JsonError) as error:
        raise Unavailable("chains.unreadable", path=str(path)) from error
    if not isinstance(chains, dict) or name not in chains:
        raise InvalidData("chains.unknown", chain=name, chains=", ".join(chains) if isinstance(chains, dict) else "")
    entry = chains[name]
    if not isinstance(entry, dict) or set(entry) != set(_MEMBERS):
        raise InvalidData("chains.malformed", chain=name, members=", ".join(_MEMBERS))
    return Chain(
        name=name,
        chain_id=_integer(entry["chain_id"], name),
        rpc_url=entry["rpc_url"],
        confirmations=None if entry["confirmations"] is None else _integer(entry["confirmations"], name),
        poll=_integer(entry["poll_milliseconds"], name) / 1000,
        resend=_integer(entry["resend_seconds"], name),
        max_fee=_integer(entry["max_fee_gwei"], name) * 10**9,
    )


def _integer(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidData("chains.malformed", chain=name, members=", ".join(_MEMBERS))
    return value
