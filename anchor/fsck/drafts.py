"""`fsck` of drafts: bodies are canonical and have their digests, parties are those who must sign, signatures hold.

Nothing of a draft is in the log, so everything is derived from its body. Only times and refusals cannot be derived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from deedlog.anchor.fsck.rows import Children, check_body, check_public_from, stream, wrong
from deedlog.registry.errors import InvalidData, VerificationError
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.rules.fold import FOR_EVER
from deedlog.registry.rules.rule import RULES
from deedlog.registry.rules.state import Fact
from deedlog.registry.statements import KINDS
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import Signature, check
from deedlog.registry.statements.subjects import accounts_in, statements_in
from deedlog.registry.store import partial_state
from deedlog.registry.store.tables import API_KEY, DRAFT, DRAFT_PARTY, DRAFT_SUBJECT, STATEMENT, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from deedlog.anchor.evm.identity import RegistryIdentity
    from deedlog.registry.statements.base import Statement


def check_drafts(connection: Connection, identity: RegistryIdentity) -> int:
    """Check all rows of the table draft and of its child tables. Run after the statements and rotations.

    Returns how many drafts there are. Raises `VerificationError` (`fsck.row`).
    """
    separator = domain_separator(identity.address)
    parties = Children(
        stream(connection, select(DRAFT_PARTY.c.draft_id, DRAFT_PARTY).order_by(DRAFT_PARTY.c.draft_id)),
        "draft_party",
        "draft_id",
    )
    subjects = Children(
        stream(
            connection, select(DRAFT_SUBJECT.c.draft_id, DRAFT_SUBJECT.c.subject).order_by(DRAFT_SUBJECT.c.draft_id)
        ),
        "draft_subject",
        "draft_id",
    )
    count = 0
    query = (
        select(DRAFT, STATEMENT.c.id.label("accepted"), API_KEY.c.id.label("found_api_key"))
        .outerjoin(STATEMENT, STATEMENT.c.digest == DRAFT.c.digest)
        .outerjoin(API_KEY, API_KEY.c.id == DRAFT.c.api_key_id)
        .order_by(DRAFT.c.id)
    )
    for row in stream(connection, query):
        key = to_hex(row.digest)
        if row.accepted is not None:
            wrong("draft", key, "digest", "accepted")
        if row.kind not in KINDS:
            wrong("draft", key, "kind")
        statement = check_body("draft", key, row.kind, row.body, row.digest, separator)
        if row.api_key_id != row.found_api_key:
            wrong("draft", key, "api_key_id", "missing")
        if not isinstance(row.proposed_at, int):
            wrong("draft", key, "proposed_at")
        check_public_from("draft", key, row.public_from)
        if sorted(subjects.of(row.id)) != sorted(statement.subjects()):
            wrong("draft_subject", key, "subject")
        named = parties.rows_of(row.id)
        _check_parties(connection, row.digest, statement, [party.account for party in named])
        _check_signatures(row, named)
        if row.cancelled_by is not None and not _cancels(connection, row.cancelled_by, row.digest):
            wrong("draft", key, "cancelled_by")
        count += 1
    parties.end()
    subjects.end()
    return count


def _check_parties(connection: Connection, digest: bytes, statement: Statement, accounts: Sequence[bytes]) -> None:
    """Raise unless the draft's parties are exactly the accounts that must sign."""
    key = to_hex(digest)
    signers = statement.signers()
    if signers is None:
        signers = _signers_by_rule(connection, digest, statement)
        if signers is None:
            if not accounts:
                wrong("draft_party", key, "account", "missing")
            return
    if sorted(accounts) != sorted(signers):
        wrong("draft_party", key, "account")


def _signers_by_rule(connection: Connection, digest: bytes, statement: Statement) -> tuple[bytes, ...] | None:
    """Return the accounts that must sign by the kind's rule; None if the rule needs a body that was erased."""
    of_rule = RULES[statement.kind].signers
    if of_rule is None:
        wrong("draft", to_hex(digest), "kind")
    subjects = statement.subjects()
    state = partial_state.state_around(connection, {digest, *statements_in(subjects)}, accounts_in(subjects))
    try:
        return tuple(of_rule(state, Fact(digest, statement.kind, (), subjects, FOR_EVER, statement)))
    except InvalidData as error:
        if any(standing.code == "standing.no_body" for standing in state.standings.values()):
            return None
        wrong("draft", to_hex(digest), "body", error.code)


def _check_signatures(row: Row[Any], parties: Sequence[Row[Any]]) -> None:
    """Raise unless all signatures hold and some, but not all, are there. With all, the draft would be a statement.

    If the kind's rule decides who signs, there may be none, because an account that signed may have been rotated since.
    """
    signed = [party for party in parties if party.signature is not None]
    for party in parties:
        key = f"{to_hex(row.digest)} {to_hex(party.account)}"
        if (party.signature is None) != (party.signed_at is None) or not isinstance(party.signed_at, int | None):
            wrong("draft_party", key, "signed_at")
        if not isinstance(party.declined_at, int | None):
            wrong("draft_party", key, "declined_at")
    for party in signed:
        try:
            check(Signature(party.account, party.signature), row.digest)
        except VerificationError as error:
            wrong("draft_party", f"{to_hex(row.digest)} {to_hex(party.account)}", "signature", error.code)
    if len(signed) == len(parties) or not (signed or RULES[row.kind].signers is not None):
        wrong("draft_party", to_hex(row.digest), "signature", "complete" if signed else "missing")


def _cancels(connection: Connection, cancellation: bytes, draft: bytes) -> bool:
    """Return whether `cancellation` is the digest of an accepted statement that ends the draft."""
    tags = {name: kind.ENDS_DRAFT for name, kind in KINDS.items() if kind.ENDS_DRAFT is not None}
    query = (
        select(STATEMENT.c.kind, SUBJECT.c.subject)
        .join(SUBJECT, SUBJECT.c.statement_id == STATEMENT.c.id)
        .where(STATEMENT.c.digest == cancellation, STATEMENT.c.kind.in_(tags))
    )
    return any(row.subject == tags[row.kind].of(draft) for row in connection.execute(query))
