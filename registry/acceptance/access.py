"""Decide who may read the body of a statement: anybody, or only the accounts it concerns and its API key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.registry.rules.rule import RULES
from deedlog.registry.statements import KINDS
from deedlog.registry.store import partial_state

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from deedlog.registry.rules.state import State
    from deedlog.registry.store.statements import Stored


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader of a request: an account that has signed in, an API key, or an anonymous reader (both None)."""

    account: bytes | None = None
    api_key_id: int | None = None


def may_read(connection: Connection, reader: Reader, stored: Stored, state: State, now: int) -> bool:
    """Return whether a reader may read a statement's body at `now` (Unix seconds).

    `state` is the rights state around the statement. A statement of a private kind is readable by its signers, by the
    readers that its declaration and its rule name, by the current holders of these accounts, and by the API key that
    sent it. The same holds for a work before its `public_from`.
    """
    withheld = stored.public_from is not None and stored.public_from > now
    if not withheld and not KINDS[stored.kind].PRIVATE:
        return True
    if reader.api_key_id is not None and reader.api_key_id == stored.api_key_id:
        return True
    if reader.account is None:
        return False
    speaks_for = partial_state.spoken_for(connection, reader.account)
    return any(account in concerned(stored, state) for account in speaks_for)


def concerned(stored: Stored, state: State) -> set[bytes]:
    """Return the accounts that a statement concerns, as named in it: signers and readers, before any rotation."""
    accounts = {signature.account for signature in stored.parsed_entry().signatures}
    if stored.message is None:
        return accounts
    statement = KINDS[stored.kind].from_message(stored.message)
    return accounts.union(statement.readers(), RULES[stored.kind].readers(state, stored.digest))
