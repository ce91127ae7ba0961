"""Alarms: problems that a person must look at now, in the database, so that every process can show them.

The worker raises and clears them. At each round, each role reports all its current alarms; an alarm that it no longer
reports is over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from deedlog.registry.store.tables import ALARM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of a role: a code of the catalogue (`alarm.…`), its parameters, and since when (Unix seconds)."""

    role: str
    code: str
    params: dict[str, str | int]
    since: int


def put(connection: Connection, role: str, current: Mapping[str, Mapping[str, str | int]], now: int) -> None:
    """Replace the alarms of a role by `current`, which maps codes to parameters.

    New alarms date from `now` (Unix seconds), alarms that continue keep their time, and the others are deleted.
    """
    before = {alarm.code: alarm for alarm in alarms(connection) if alarm.role == role}
    for code in before.keys() - current.keys():
        connection.execute(delete(ALARM).where(ALARM.c.role == role, ALARM.c.code == code))
    for code, params in current.items():
        text = json.dumps(dict(params), ensure_ascii=False)
        if code not in before:
            connection.execute(insert(ALARM).values(role=role, code=code, params=text, since=now))
        elif before[code].params != params:
            connection.execute(update(ALARM).where(ALARM.c.role == role, ALARM.c.code == code).values(params=text))


def alarms(connection: Connection) -> list[Alarm]:
    """Return all current alarms, the oldest first."""
    rows = connection.execute(select(ALARM).order_by(ALARM.c.since, ALARM.c.code)).mappings()
    return [Alarm(row["role"], row["code"], json.loads(row["params"]), row["since"]) for row in rows]
