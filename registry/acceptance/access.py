"""Decide who may read the body of a statement, and who the payouts of an agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedlog.registry.rules.rule import RULES
from deedlog.registry.statements import KINDS
from deedlog.registry.store import partial_state, statements

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from deedlog.registry.rules.state import AgreementState, State
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


def may_read_payouts(connection: Connection, reader: Reader, stored: Stored, found: AgreementState) -> bool:
    """Return whether a reader may know the reported revenue: the agreement's parties and its payer may.

    An account in `leaving` signed the agreement but may not. An API key may if it sent the agreement and all its
    reports.
    """
    if reader.account is not None:
        concerned = {*found.agreement.parties, found.agreement.payer}
        if concerned.intersection(partial_state.spoken_for(connection, reader.account)):
            return True
    if reader.api_key_id is None or reader.api_key_id != stored.api_key_id:
        return False
    sent = (statements.by_digest(connection, report) for report in found.reports)
    return all(report is not None and report.api_key_id == reader.api_key_id for report in sent)


def concerned(stored: Stored, state: State) -> set[bytes]:
    """Return the accounts that a statement concerns, as named in it: signers and readers, before any rotation."""
    accounts = {signature.account for signature in stored.parsed_entry().signatures}
    if stored.message is None:
        return accounts
    statement = KINDS[stored.kind].from_message(stored.message)
    return accounts.union(statement.readers(), RULES[stored.kind].readers(state, stored.digest))
