"""Statements that the vectors have, by kind: the plain one, with other members, or one of the other cases."""

from __future__ import annotations

import dataclasses

from vectors.generate import statement_vectors
from vectors.generate.statement_cases import messages
from vectors.generate.statement_plain import PLAIN

from deedlog.registry.statements import KINDS

REGISTRY = bytes.fromhex(statement_vectors.REGISTRY[2:])


def plain(kind, **changes):
    """Return the plain statement of a kind, with other members."""
    return dataclasses.replace(KINDS[kind].from_message(PLAIN[kind]), **changes)


def case(kind, name):
    return KINDS[kind].from_message(messages(kind)[name])
