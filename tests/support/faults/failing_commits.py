"""Commits of SQLite that fail, each in two ways: it did not happen, or it happened and only its return is lost.

The database is real. A commit fails if its transaction executed a statement that holds the order's text, and none that
holds what the order excepts.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError


def install(order) -> None:
    """Let the commits of this process fail as `order` says."""

    @event.listens_for(Engine, "begin")
    def begin(connection) -> None:
        connection.info["executed"] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def executed(connection, _cursor, statement, *_rest) -> None:
        connection.info.setdefault("executed", []).append(statement)

    @event.listens_for(Engine, "commit")
    def commit(connection) -> None:
        wanted = order.read()
        if "statement" not in wanted or connection.dialect.name != "sqlite":
            return
        executed = "\n".join(connection.info["executed"])
        if wanted["statement"] in executed and wanted["unless"] not in executed and order.obeyed():
            if wanted["happened"]:
                connection.connection.dbapi_connection.commit()
            raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))
