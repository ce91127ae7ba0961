"""Group commit: many requests stored in one transaction, each with its own answer. They share the cost of one fsync."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from deedlog.registry.store.database import Database

_FAULTS_OF_ONE = (IntegrityError, DataError, UnicodeError, OverflowError)
"""Errors that the database or its driver raises because of one bad row. Other errors concern the whole transaction."""

_LOG = logging.getLogger(__name__)

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def group_commit(
    database: Database,
    items: Sequence[Item],
    work: Callable[[Connection, Sequence[Item]], list[Answer]],
    name: Callable[[Item], str],
) -> list[Answer | None]:
    """Run `work` on all items in one write; return its answer for each item once the write is durable.

    After a conflict with another process the whole write is retried. An item that the database rejects fails alone and
    is logged under its `name`. Its answer is None. If the database fails, every answer is None, and the items may be
    stored or not.
    """
    try:
        return [*database.retry_write(lambda connection: work(connection, items))]
    except _FAULTS_OF_ONE:
        if len(items) == 1:
            _LOG.exception("the database does not take a statement", extra={"digest": name(items[0])})
            return [None]
        # One bad row fails the whole transaction, so commit each half separately until that row is alone.
        half = len(items) // 2
        return [
            *group_commit(database, items[:half], work, name),
            *group_commit(database, items[half:], work, name),
        ]
    except DBAPIError:
        _LOG.exception("statements could not be kept", extra={"statements": len(items)})
        return [None] * len(items)
