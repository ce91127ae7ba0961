"""What the parts of `fsck` share: reading a table row by row, and naming the row that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from registry.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Row, Select

PAGE = 1000
"""Rows in memory at a time."""


def wrong(table: str, key: object, column: str, reason: str = "differs") -> NoReturn:
    """Raise the error that names a row and a column; `reason` is a code, or what is the matter in one word."""
    raise VerificationError("fsck.row", table=table, key=str(key), column=column, reason=reason)


def stream(connection: Connection, query: Select[Any]) -> Iterator[Row[Any]]:
    """Yield the rows of a query, a page in memory at a time."""
    yield from connection.execute(query, execution_options={"yield_per": PAGE})
