"""Many writes of many people in one transaction, each with its own answer: an fsync costs the same for all of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from deedlog.registry.store.database import Database

_FAULTS_OF_ONE = (IntegrityError, DataError, UnicodeError, OverflowError)
"""What a database and its driver raise for a row that they do not take; other errors concern every row."""

_LOG = logging.getLogger(__name__)

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def group_commit(
    database: Database,
    items: Sequence[Item],
    work: Callable[[Connection, Sequence[Item]], list[Answer]],
    name: Callable[[Item], str],
) -> list[Answer | None]:
    """Return what `work` answers to each item, once all is durable; None where it may or may not be.

    Where another process came between, all is done again. An item that the database does not take fails alone, and is
    logged by its `name`.
    """
    try:
        return [*database.retry_write(lambda connection: work(connection, items))]
    except _FAULTS_OF_ONE:
        if len(items) == 1:
            _LOG.exception("the database does not take a statement", extra={"digest": name(items[0])})
            return [None]
        # One row fails the whole transaction: each half for itself, until that row is alone.
        half = len(items) // 2
        return [
            *group_commit(database, items[:half], work, name),
            *group_commit(database, items[half:], work, name),
        ]
    except DBAPIError:
        _LOG.exception("statements could not be kept", extra={"statements": len(items)})
        return [None] * len(items)
