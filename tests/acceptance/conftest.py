"""Fixtures of `chain_world`."""

from chain_world import proven

__all__ = ["proven"]
