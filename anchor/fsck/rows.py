"""Shared by the parts of `fsck`: stream a table's rows, match child rows to their owners, name a wrong row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from deedlog.registry import strict_json
from deedlog.registry.acceptance.submission import body_of
from deedlog.registry.errors import InvalidData, VerificationError
from deedlog.registry.statements.typed_data import kind_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Row, Select

    from deedlog.registry.statements.base import Statement

PAGE = 1000
"""How many rows are in memory at a time."""

_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799
"""The first and the last second that RFC 3339 can write: the years 1 to 9999."""

_MAXIMUM_BODY = 1024 * 1024


def wrong(table: str, key: object, column: str, reason: str = "differs") -> NoReturn:
    """Raise `VerificationError` (`fsck.row`) naming a row and a column. `reason` is an error code or a single word."""
    raise VerificationError("fsck.row", table=table, key=str(key), column=column, reason=reason)


def stream(connection: Connection, query: Select[Any]) -> Iterator[Row[Any]]:
    """Yield the rows of a query, with at most `PAGE` rows in memory."""
    yield from connection.execute(query, execution_options={"yield_per": PAGE})


class Children:
    """The rows of a child table, read along with their owners in the order of the owners' ids."""

    def __init__(self, rows: Iterator[Any], table: str, column: str) -> None:
        """Read from `rows` of `table`, sorted by owner. Each begins with its owner's id, which is in `column`."""
        self._rows = rows
        self._table = table
        self._column = column
        self._next = next(rows, None)

    def rows_of(self, owner: int) -> list[Any]:
        """Return the rows of the next owner. Raises `VerificationError` if a row before them has no owner."""
        found = []
        while self._next is not None and self._next[0] <= owner:
            if self._next[0] < owner:
                wrong(self._table, self._next[0], self._column, "missing")
            found.append(self._next)
            self._next = next(self._rows, None)
        return found

    def of(self, owner: int) -> list[Any]:
        """Return the second column of the next owner's rows. Raises as `rows_of` does."""
        return [row[1] for row in self.rows_of(owner)]

    def end(self) -> None:
        """Raise `VerificationError` if rows are left, since they have no owner."""
        if self._next is not None:
            wrong(self._table, self._next[0], self._column, "missing")


def check_body(table: str, key: str, kind: str, body: str, digest: bytes, separator: bytes) -> Statement:
    """Return the statement of a body; raise `VerificationError` unless it is in canonical form with this digest."""
    try:
        statement = kind_named(kind).from_message(
            strict_json.loads(body.encode("utf-8", "surrogatepass"), _MAXIMUM_BODY)
        )
    except InvalidData as error:
        wrong(table, key, "body", error.code)
    if body != body_of(statement) or statement.digest(separator) != digest:
        wrong(table, key, "body")
    return statement


def check_public_from(table: str, key: str, time: object) -> None:
    """Raise `VerificationError` unless `time` is None or Unix seconds that RFC 3339 can express."""
    if time is not None and not (isinstance(time, int) and _EARLIEST <= time <= _LATEST):
        wrong(table, key, "public_from")
