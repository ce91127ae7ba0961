"""Fixtures of `chain_world`."""

from chain_world import proven, proven_locally

__all__ = ["proven", "proven_locally"]
