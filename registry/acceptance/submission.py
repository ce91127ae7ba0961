"""Check a submitted statement: its form, its signatures, and whether this submitter may send it now.

The checks are pure: submitter and clock are arguments, and nothing is looked up. Checks that need the database are in
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
"""Seconds that a signer's clock may run ahead of the registry's clock."""

MAXIMUM_BATCH = 500
"""Statements in one request: the registry takes no more, and its client sends no more."""

MAXIMUM_REFERENCE = 200

_BODY = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Submitter:
    """The sender of a request: an API key (`api_key_id` and its scopes), or an anonymous sender (`api_key_id` None)."""

    api_key_id: int | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Submission:
    """A statement as sent, unchecked: typed data, signatures, and unsigned details.

    `reference` and `idempotency_key` make it safe to send the statement again. Before `public_from` (Unix seconds) only
    the accounts it concerns and the API key that sent it may read the body.
    """

    typed_data: object
    signatures: tuple[Signature, ...]
    reference: str | None = None
    idempotency_key: str | None = None
    public_from: int | None = None


class CheckedStatement(NamedTuple):
    """A complete statement with valid signatures, ready to be accepted. It holds everything that will be stored.

    `body` is the JSON of the statement's members, `prefix` its entry up to the time. All values are plain, so that one
    process can check statements for another. It is a tuple because tuples are fastest to create and to pickle.
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
        """Return the fact that the rules see if the statement is accepted at `now` (Unix seconds).

        With `whole`, the fact includes the statement itself, parsed again from the body.
        """
        statement = KINDS[self.kind].from_message(json.loads(self.body)) if whole else None
        return Fact(self.digest, self.kind, self.accounts, self.subjects, now, statement)


class SignedStatement(NamedTuple):
    """A statement that passed every check except completeness: each signature is valid, but some may be missing."""

    statement: Statement
    digest: bytes
    signatures: tuple[Signature, ...]
    reference: str | None
    idempotency_key: str | None
    public_from: int | None

    def checked(self) -> CheckedStatement:
        """Return the form to store. The caller makes sure that the statement is complete."""
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
    """Return the statement, checked and complete, for the registry at address `registry` (20 bytes).

    Pure: `now` is the registry's clock in Unix seconds. Raises `InvalidData` if the registry may not accept it.
    """
    sent = check_sent(submission, registry, submitter, now)
    signers = sent.statement.signers()
    if signers is not None:
        check_complete(sent.signatures, signers)
    elif not sent.signatures:  # the kind's rule decides who must sign, but at least one account does
        raise InvalidData("signature.none", field="signatures")
    return sent.checked()


def check_sent(submission: Submission, registry: bytes, submitter: Submitter, now: int) -> SignedStatement:
    """Return the statement, checked but perhaps not signed by everybody yet.

    Pure. Raises `InvalidData` if the registry could not accept it even with all signatures.
    """
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
    """Return the JSON of a statement's members, in the form that is stored."""
    return _BODY.encode(statement.message())


def check_all(
    submissions: Sequence[Submission | DeedlogError], registry: bytes, submitter: Submitter, now: int
) -> list[CheckedStatement | DeedlogError]:
    """Check each statement on its own; return the checked statement or the error for each, in order.

    An item that already is an error is returned unchanged.
    """
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
    """Return (owner, name, fingerprint) for the reference and the idempotency key of a statement.

    A reference identifies content: sending the same content again with a new signature counts as a retry. An
    idempotency key identifies one request: another statement under the same key is an error.
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
    """Return the owner of a reference or idempotency key: the API key or, without one, the signing accounts."""
    if api_key_id is not None:
        return f"api_key:{api_key_id}"
    return "accounts:" + hashlib.sha256(b"".join(accounts)).hexdigest()
