"""Accepting statements: checked first, purely; then kept in one transaction. Durable when this returns.

What is sent again is answered with what is kept: the same statement (`known`), or the same accounts saying the same of
the same content under another salt (`repeat`). Another account claiming the same content is no error: both are kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry import entry as entries
from registry import store
from registry.eip712 import domain_separator
from registry.errors import DeedlogError, InvalidData
from registry.hexadecimal import to_hex
from registry.signatures import Signature, ascending, check, check_complete
from registry.statements import Rendition, Statement, Upload, from_typed_data
from registry.steps import reached

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from registry.database import Database

CLOCK_TOLERANCE = 600
"""Seconds that a signer's clock may be ahead of the registry's."""

MAXIMUM_BATCH = 500
MAXIMUM_REFERENCE = 200
SOURCE_KINDS = ("Work", "Upload")
"""What a rendition can be made from."""


@dataclass(frozen=True, slots=True)
class Submitter:
    """Who sends: an API key (`api_key_id`, its scopes), or nobody in particular."""

    api_key_id: int | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Submission:
    """A statement as sent: typed data and signatures unchecked, and the names that make a rerun harmless."""

    typed_data: object
    signatures: tuple[Signature, ...]
    reference: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement that is complete: its signatures hold, and it may be accepted."""

    statement: Statement
    digest: bytes
    opening: bytes
    accounts: tuple[bytes, ...]
    submission: Submission


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer: the digest under which it is kept, and whether that is new (`accepted`, `known`, `repeat`)."""

    digest: bytes
    kind: str
    outcome: str


def check_submission(submission: Submission, registry: bytes, submitter: Submitter, now: int) -> Checked:
    """Return the statement if it may be accepted by the registry at that address; else raise `InvalidData`.

    Pure: `now` is the registry's clock.
    """
    statement = from_typed_data(submission.typed_data, registry)
    statement.STRUCT.accept(statement)
    if statement.claimed_at() > now + CLOCK_TOLERANCE:
        raise InvalidData("statement.in_the_future", claimed=statement.claimed_at(), now=now)
    if isinstance(statement, Upload) and "upload" not in submitter.scopes:
        raise InvalidData("api_key.scope", scope="upload")
    for field, name in (("reference", submission.reference), ("Idempotency-Key", submission.idempotency_key)):
        if name is not None and not (0 < len(name) <= MAXIMUM_REFERENCE and name.isprintable()):
            raise InvalidData("reference.malformed", field=field, maximum=MAXIMUM_REFERENCE)
    if submission.reference is not None and submitter.api_key_id is None:
        raise InvalidData("reference.needs_api_key", field="reference")
    digest = statement.digest(domain_separator(registry))
    signatures = ascending(submission.signatures)
    check_complete(signatures, statement.signers())
    for signature in signatures:
        check(signature, digest)
    opening = entries.opening(statement.kind, digest, signatures, statement.subjects())
    return Checked(statement, digest, opening, tuple(signature.account for signature in signatures), submission)


def accept(
    database: Database,
    registry: bytes,
    submissions: Sequence[Submission],
    submitter: Submitter,
    now: int,
    admit: Callable[[Checked], None] | None = None,
) -> list[Accepted | DeedlogError]:
    """Check and keep statements, in their order; each has its own answer: what was done, or why not.

    `admit` may refuse a new statement that is in order (a quota) by raising. It is not asked about what is only sent
    again, or anybody could use up a signer's quota with what is public. What is kept is durable when this returns.
    """
    checked: list[Checked | DeedlogError] = []
    for submission in submissions:
        try:
            item = check_submission(submission, registry, submitter, now)
        except DeedlogError as error:
            checked.append(error)
        else:
            checked.append(item)
    if all(isinstance(item, DeedlogError) for item in checked):
        return [item for item in checked if isinstance(item, DeedlogError)]
    reached("accept.checked")
    with database.write() as connection:
        keeper = _Keeper(connection, submitter, now, [item for item in checked if isinstance(item, Checked)], admit)
        answers = [item if isinstance(item, DeedlogError) else keeper.keep(item) for item in checked]
        reached("accept.inserted")
    reached("accept.committed")
    return answers


class _Keeper:
    """Keeps checked statements in one transaction; what is already there is looked up once for all of them."""

    def __init__(
        self,
        connection: Connection,
        submitter: Submitter,
        now: int,
        items: Sequence[Checked],
        admit: Callable[[Checked], None] | None,
    ) -> None:
        self._connection = connection
        self._submitter = submitter
        self._now = now
        self._admit = admit
        self._by_digest = store.find_digests(connection, [item.digest for item in items])
        self._by_repeat = store.find_repeats(connection, [item.statement.repeat_key() for item in items])

    def keep(self, item: Checked) -> Accepted | DeedlogError:
        try:
            return self._keep(item)
        except DeedlogError as error:
            return error

    def _keep(self, item: Checked) -> Accepted:
        repeat_key = item.statement.repeat_key()
        names = self._names(item, repeat_key)
        for owner, name, fingerprint in names:
            before = store.find_rerun(self._connection, owner, name)
            if before is not None:
                if before[0] != fingerprint:
                    raise InvalidData("rerun.other_content", name=name.partition(":")[2], digest=to_hex(before[2]))
                return Accepted(before[2], item.statement.kind, "known" if before[2] == item.digest else "repeat")
        key = self._by_digest.get(item.digest)
        digest, outcome = item.digest, "known"
        if key is None:
            first = self._by_repeat.get(repeat_key)
            if first is not None:
                (key, digest), outcome = first, "repeat"
            else:
                key, outcome = self._insert(item, repeat_key), "accepted"
        for owner, name, fingerprint in names:
            store.insert_rerun(self._connection, owner, name, fingerprint, key)
        return Accepted(digest, item.statement.kind, outcome)

    def _insert(self, item: Checked, repeat_key: bytes) -> int:
        if self._admit is not None:
            self._admit(item)
        statement = item.statement
        if isinstance(statement, Rendition):
            kind = store.find_kind(self._connection, statement.source)
            if kind not in SOURCE_KINDS:
                raise InvalidData("rendition.unknown_source", field="source", source=to_hex(statement.source))
        key = store.insert_statement(
            self._connection,
            digest=item.digest,
            kind=statement.kind,
            message=statement.message(),
            opening=item.opening,
            repeat_key=repeat_key,
            accounts=item.accounts,
            subjects=statement.subjects(),
            api_key_id=self._submitter.api_key_id,
            now=self._now,
        )
        self._by_digest[item.digest] = key
        self._by_repeat[repeat_key] = (key, item.digest)
        return key

    def _names(self, item: Checked, repeat_key: bytes) -> list[tuple[str, str, bytes]]:
        """Return (owner, name, fingerprint) of each name this was sent under.

        A reference stands for a content: the same content signed afresh is a rerun. An idempotency key stands for one
        request: another statement under it is a mistake.
        """
        owner = rerun_owner(self._submitter.api_key_id, item.accounts)
        names = []
        if item.submission.reference is not None:
            names.append((owner, f"reference:{item.submission.reference}", repeat_key))
        if item.submission.idempotency_key is not None:
            fingerprint = hashlib.sha256(item.digest).digest()
            names.append((owner, f"idempotency:{item.submission.idempotency_key}", fingerprint))
        return names


def rerun_owner(api_key_id: int | None, accounts: Sequence[bytes]) -> str:
    """Return whose names these are: an API key's, or, without one, the signing accounts'."""
    if api_key_id is not None:
        return f"api_key:{api_key_id}"
    return "accounts:" + hashlib.sha256(b"".join(accounts)).hexdigest()
