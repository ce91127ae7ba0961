"""Typed answers of a registry. Digests and accounts are bytes, times are Unix seconds, amounts are minor units.

Before `Registry` returns a statement, it derives the digest again from the statement's members. You have only the
registry's word for everything else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from deedlog.registry.hexadecimal import HASH_SIZE, account_from_any_case, from_hex, to_checksum, to_hex
from deedlog.registry.sign_in import read_time
from deedlog.registry.statements import KINDS
from deedlog.registry.statements.signatures import Signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedlog.anchor.verify.bundle import Bundle
    from deedlog.anchor.verify.verdict import Verdict
    from deedlog.registry.statements.base import Statement

Progress = Literal["accepted", "logged", "anchored", "final"]
"""A statement's state: stored by the registry, in its log, under a head that a contract holds, in a final block."""

STATES: tuple[Progress, ...] = ("accepted", "logged", "anchored", "final")
OUTCOMES = ("accepted", "known", "repeat", "proposed", "signed")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of sending a statement.

    `outcome` is `accepted` (durable), `known` (sent before), `repeat` (these accounts have already claimed this
    content: `digest` is that earlier statement's), `proposed` or `signed` (a draft: the accounts `missing` have yet to
    sign). `answer` is the registry's JSON.
    """

    digest: bytes
    kind: str
    outcome: str
    missing: tuple[bytes, ...]
    answer: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, answer: Mapping[str, Any], digest: bytes, outcomes: tuple[str, ...]) -> Receipt:
        """Parse the answer to the statement `digest`; raise `ValueError` and the like if it is malformed."""
        named = _digest(answer["digest"])
        outcome = answer["outcome"]
        if outcome not in outcomes or (named != digest and outcome != "repeat"):
            raise ValueError(outcome)
        missing = tuple(_account(account) for account in answer.get("missing", ()))
        return cls(named, str(answer["kind"]), outcome, missing, answer)


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """A statement as its registry shows it.

    `statement` is None if it is withheld from you, or erased, or of a kind that this version does not know
    (`known_kind` is false). Its digest cannot be derived here then, so the record is the registry's word alone.
    `standing` is the code of its standing under the rules. `log_index` and `entry_time` are None until it is logged.
    """

    digest: bytes
    kind: str
    state: Progress
    standing: str
    statement: Statement | None
    signatures: tuple[Signature, ...]
    accepted_at: int
    log_index: int | None
    entry_time: int | None
    references: tuple[str, ...]
    answer: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, answer: Mapping[str, Any], statement: Statement | None) -> StatementRecord:
        """Parse a registry's JSON of a statement; raise `ValueError` and the like if it is malformed."""
        state = answer["state"]
        if state not in STATES:
            raise ValueError(state)
        return cls(
            digest=_digest(answer["digest"]),
            kind=_kind(answer["kind"], statement),
            state=state,
            standing=str(answer["standing"]["code"]),
            statement=statement,
            signatures=tuple(
                Signature(_account(each["account"]), from_hex(each["signature"], None, None), str(each["scheme"]))
                for each in answer["signatures"]
            ),
            accepted_at=_time(answer["accepted_at"]),
            log_index=None if answer["log_index"] is None else int(answer["log_index"]),
            entry_time=None if answer["entry_time"] is None else _time(answer["entry_time"]),
            references=tuple(str(name) for name in answer["references"]),
            answer=answer,
        )

    @property
    def known_kind(self) -> bool:
        """Whether this version knows the kind; a newer one may be needed."""
        return self.kind in KINDS


@dataclass(frozen=True, slots=True)
class Party:
    """An account that a draft needs, and when it signed or declined; None if it has not."""

    account: bytes
    signed_at: int | None
    declined_at: int | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement that several accounts must sign, until all have.

    `state` is proposed, declined, cancelled, expired or stale. `statement` is None if this version does not know its
    kind (`known_kind` is false): it cannot be signed here.
    """

    digest: bytes
    kind: str
    state: str
    statement: Statement | None
    parties: tuple[Party, ...]
    proposed_at: int
    answer: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, answer: Mapping[str, Any], statement: Statement | None) -> Draft:
        """Parse a registry's JSON of a draft; raise `ValueError` and the like if it is malformed."""
        return cls(
            digest=_digest(answer["digest"]),
            kind=_kind(answer["kind"], statement),
            state=str(answer["state"]),
            statement=statement,
            parties=tuple(
                Party(
                    _account(each["account"]),
                    None if each["signed_at"] is None else _time(each["signed_at"]),
                    None if each["declined_at"] is None else _time(each["declined_at"]),
                )
                for each in answer["parties"]
            ),
            proposed_at=_time(answer["proposed_at"]),
            answer=answer,
        )

    @property
    def known_kind(self) -> bool:
        """Whether this version knows the kind; a newer one may be needed."""
        return self.kind in KINDS


@dataclass(frozen=True, slots=True)
class PaidReport:
    """What one revenue report paid each party, and the remainder, too small to divide, that is carried on."""

    digest: bytes
    amount: int
    paid: Mapping[bytes, int]
    carried: int

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> PaidReport:
        """Parse one report of a page of payouts."""
        paid, carried = _amounts(answer["paid"]), int(answer["carried"])
        return cls(_digest(answer["digest"]), int(answer["amount"]), paid, carried)

    def to_json(self) -> dict[str, Any]:
        """Return it in the registry's form: amounts are decimal strings."""
        paid = _shown(self.paid)
        return {"digest": to_hex(self.digest), "amount": str(self.amount), "paid": paid, "carried": str(self.carried)}


@dataclass(frozen=True, slots=True)
class Payouts:
    """What each party of an agreement got of each report; `closing`: what each would get of `carried` if it ended now.

    `currency` is None before the first report.
    """

    agreement: bytes
    status: str
    currency: str | None
    reports: tuple[PaidReport, ...]
    carried: int
    closing: Mapping[bytes, int]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Payouts:
        """Parse one page of payouts; raise `ValueError` and the like if it is malformed."""
        currency = answer["currency"]
        if currency is not None and not isinstance(currency, str):
            raise ValueError(currency)
        return cls(
            agreement=_digest(answer["agreement"]),
            status=str(answer["status"]),
            currency=currency,
            reports=tuple(PaidReport.read(report) for report in answer["reports"]),
            carried=int(answer["carried"]),
            closing=_amounts(answer["closing"]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return all pages as one, in the registry's form: amounts are decimal strings."""
        return {
            "agreement": to_hex(self.agreement),
            "status": self.status,
            "currency": self.currency,
            "reports": [report.to_json() for report in self.reports],
            "carried": str(self.carried),
            "closing": _shown(self.closing),
        }


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the statement or draft `digest`. To go on after it, use its `cursor`.

    docs/formats.md lists the values of `name`. `account` and `chain_id` are None if the event has none.
    """

    cursor: str
    name: str
    at: int
    digest: bytes
    kind: str
    account: bytes | None
    chain_id: int | None

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Event:
        """Parse an event; raise `ValueError` and the like if it is malformed."""
        return cls(
            cursor=str(answer["cursor"]),
            name=str(answer["name"]),
            at=_time(answer["at"]),
            digest=_digest(answer["digest"]),
            kind=str(answer["kind"]),
            account=None if answer["account"] is None else _account(answer["account"]),
            chain_id=None if answer["chain_id"] is None else int(answer["chain_id"]),
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified bundle of this registry and this statement: no answer about it, or about one of its anchors, is no.

    `data` is the file (NAME.deed); `verdict` has all answers. Answers that need a final block's hash are not checked.
    """

    data: bytes
    bundle: Bundle
    verdict: Verdict


def _kind(value: object, statement: Statement | None) -> str:
    """Return a kind's name; raise `ValueError` where it is not that of the statement that was checked."""
    if not isinstance(value, str) or (statement is not None and statement.kind != value):
        raise ValueError(value)
    return value


def _digest(value: object) -> bytes:
    return from_hex(value, HASH_SIZE, None)


def _account(value: object) -> bytes:
    return account_from_any_case(value, None)


def _time(value: object) -> int:
    return read_time(str(value), "time")


def _shown(amounts: Mapping[bytes, int]) -> dict[str, str]:
    return {to_checksum(account): str(amount) for account, amount in amounts.items()}


def _amounts(value: Mapping[str, str]) -> dict[bytes, int]:
    return {_account(account): int(amount) for account, amount in value.items()}
