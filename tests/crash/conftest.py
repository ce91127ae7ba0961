"""Fixtures of `crash_world`."""

from __future__ import annotations

from crash_world import crash_chain, crash_registry, new_registry, nursery, walking

__all__ = ["crash_chain", "crash_registry", "new_registry", "nursery", "walking"]
