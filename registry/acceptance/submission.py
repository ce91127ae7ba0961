"""A statement as sent, and what it is once checked: complete, its signatures hold, and it may be accepted.

The checks are pure: who sends and the clock are arguments, and nothing is looked up. What needs the database stands in
`registry.acceptance.accept`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from deedlog.registry.errors import DeedlogError, InvalidData
from deedlog.registry.rules.state import Fact
from deedlog.registry.statements import KINDS
from deedlog.registry.statements import entry as entries
from deedlog.registry.statements.base import repeat_key
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import Signature, ascending, check, check_complete
from deedlog.registry.statements.typed_data import from_typed_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedlog.registry.statements.base import Statement

CLOCK_TOLERANCE = 600
"""Seconds that a signer's clock may be ahead of the registry's."""

MAXIMUM_BATCH = 500
"""Statements in one request: the registry takes no more, and its client sends no more."""

MAXIMUM_REFERENCE = 200

_BODY = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Submitter:
    """Who sends: an API key (`api_key_id`, its scopes), or nobody in particular."""

    api_key_id: int | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Submission:
    """A statement as sent: typed data and signatures unchecked, and what goes with it and is not signed.

    The names make a rerun harmless; before `public_from` (Unix seconds) only those whom it concerns may read the body.
    """

    typed_data: object
    signatures: tuple[Signature, ...]
    reference: str | None = None
    idempotency_key: str | None = None
    public_from: int | None = None


class CheckedStatement(NamedTuple):
    """A statement that is complete, and all that is kept of it: its signatures hold, and it may be accepted.

    `body` is the JSON of its members, `prefix` its entry up to the time. Plain values, so that one process can check
    for another; a tuple, for it is made and sent fastest.
    """

    kind: str
    digest: bytes
    body: str
    prefix: bytes
    repeat_key: bytes
    accounts: tuple[bytes, ...]
    subjects: tuple[str, ...]
    reference: str | None
    idempotency_key: str | None
    public_from: int | None

    def fact(self, now: int, *, whole: bool) -> Fact:
        """Return it as if it were accepted now; `whole`: with its body, read again."""
        statement = KINDS[self.kind].from_message(json.loads(self.body)) if whole else None
        return Fact(self.digest, self.kind, self.accounts, self.subjects, now, statement)


class SignedStatement(NamedTuple):
    """A statement as sent, and all that is right about it whoever else has to sign: the signatures there are hold."""

    statement: Statement
    digest: bytes
    signatures: tuple[Signature, ...]
    reference: str | None
    idempotency_key: str | None
    public_from: int | None

    def checked(self) -> CheckedStatement:
        """Return what is kept of it once it is complete."""
        subjects = self.statement.subjects()
        accounts = tuple([signature.account for signature in self.signatures])
        kind = self.statement.kind
        return CheckedStatement(
            kind=kind,
            digest=self.digest,
            body=body_of(self.statement),
            prefix=entries.prefix(kind, self.digest, self.signatures, subjects),
            repeat_key=repeat_key(kind, self.digest, subjects, accounts),
            accounts=accounts,
            subjects=subjects,
            reference=self.reference,
            idempotency_key=self.idempotency_key,
            public_from=self.public_from,
        )


def check_submission(submission: Submission, registry: bytes, submitter: Submitter, now: int) -> CheckedStatement:
    """Return the statement if it may be accepted by the registry at that address; else raise `InvalidData`.

    Pure: `now` is the registry's clock.
    """
    sent = check_sent(submission, registry, submitter, now)
    signers = sent.statement.signers()
    if signers is not None:
        check_complete(sent.signatures, signers)
    elif not sent.signatures:  # who signs, the rules know; somebody does
        raise InvalidData("signature.none", field="signatures")
    return sent.checked()


def check_sent(submission: Submission, registry: bytes, submitter: Submitter, now: int) -> SignedStatement:
    """Return the statement if it may be accepted once all have signed; else raise `InvalidData`. Pure."""
    statement = from_typed_data(submission.typed_data, registry)
    statement.STRUCT.accept(statement)
    claimed = statement.claimed_at()
    if claimed is not None and claimed > now + CLOCK_TOLERANCE:
        raise InvalidData("statement.in_the_future", time=claimed, before=now)
    if statement.SCOPE is not None and statement.SCOPE not in submitter.scopes:
        raise InvalidData("api_key.scope", scope=statement.SCOPE)
    for field, name in (("reference", submission.reference), ("Idempotency-Key", submission.idempotency_key)):
        if name is not None and not (0 < len(name) <= MAXIMUM_REFERENCE and name.isprintable()):
            raise InvalidData("reference.malformed", field=field, maximum=MAXIMUM_REFERENCE)
    if submission.public_from is not None and statement.content() is None:
        raise InvalidData("public_from.of_no_work", field="public_from", kind=statement.kind)
    if submission.reference is not None and submitter.api_key_id is None:
        raise InvalidData("reference.needs_api_key", field="reference")
    digest = statement.digest(domain_separator(registry))
    signatures = ascending(submission.signatures)
    for signature in signatures:
        check(signature, digest)
    return SignedStatement(
        statement,
        digest,
        signatures,
        submission.reference,
        submission.idempotency_key,
        submission.public_from,
    )


def body_of(statement: Statement) -> str:
    """Return the JSON of a statement's members, as it is kept."""
    return _BODY.encode(statement.message())


def check_all(
    submissions: Sequence[Submission | DeedlogError], registry: bytes, submitter: Submitter, now: int
) -> list[CheckedStatement | DeedlogError]:
    """Check statements, each for itself: the statement, or why it may not be accepted. An error stays what it is."""
    checked: list[CheckedStatement | DeedlogError] = []
    for submission in submissions:
        if isinstance(submission, DeedlogError):
            checked.append(submission)
            continue
        try:
            item = check_submission(submission, registry, submitter, now)
        except DeedlogError as error:
            checked.append(error)
        else:
            checked.append(item)
    return checked


def names_of(checked: CheckedStatement, submitter: Submitter) -> list[tuple[str, str, bytes]]:
    """Return (owner, name, fingerprint) of each name under which a statement was sent.

    A reference stands for a content: the same content signed afresh is a rerun. An idempotency key stands for one
    request: another statement under it is a mistake.
    """
    owner = idempotency_owner(submitter.api_key_id, checked.accounts)
    names = []
    if checked.reference is not None:
        names.append((owner, f"reference:{checked.reference}", checked.repeat_key))
    if checked.idempotency_key is not None:
        fingerprint = hashlib.sha256(checked.digest).digest()
        names.append((owner, f"idempotency:{checked.idempotency_key}", fingerprint))
    return names


def idempotency_owner(api_key_id: int | None, accounts: Sequence[bytes]) -> str:
    """Return whose names these are: an API key's, or, without one, the signing accounts'."""
    if api_key_id is not None:
        return f"api_key:{api_key_id}"
    return "accounts:" + hashlib.sha256(b"".join(accounts)).hexdigest()
