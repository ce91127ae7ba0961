"""What a registry answers, as values. Digests and accounts are bytes, times are Unix seconds, amounts are minor units.

Where one of these has a `statement`, `Registry` has derived its digest again from its members.
What else is in them is the registry's word.
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
"""How far a statement is: kept by the registry, in its log, in a head that a contract holds, in a final block."""

STATES: tuple[Progress, ...] = ("accepted", "logged", "anchored", "final")
OUTCOMES = ("accepted", "known", "repeat", "proposed", "signed")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a statement that was sent.

    `outcome` is `accepted` (durable), `known` (sent before), `repeat` (these accounts have claimed this content before:
    `digest` is that earlier statement's), `proposed` or `signed` (a draft: the accounts `missing` have yet to sign).
    `answer` is the registry's JSON.
    """

    digest: bytes
    kind: str
    outcome: str
    missing: tuple[bytes, ...]
    answer: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, answer: Mapping[str, Any], digest: bytes, outcomes: tuple[str, ...]) -> Receipt:
        """Read the answer to the statement `digest`; raise `ValueError` and the like where it is none."""
        named = _digest(answer["digest"])
        outcome = answer["outcome"]
        if outcome not in outcomes or (named != digest and outcome != "repeat"):
            raise ValueError(outcome)
        missing = tuple(_account(account) for account in answer.get("missing", ()))
        return cls(named, str(answer["kind"]), outcome, missing, answer)


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """A statement as its registry shows it.

    `statement` is None where it is withheld from the one who asks, or erased, or of a kind that this version does not
    know (`known_kind` is false): its digest cannot be derived here, so all of the record is the registry's word.
    `standing` is the code of what it counts for now. `log_index` and `entry_time` are None before it is logged.
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
        """Read what a registry says of a statement; raise `ValueError` and the like where it is none."""
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
    """An account that a draft needs: when it signed or declined, None where it has not."""

    account: bytes
    signed_at: int | None
    declined_at: int | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement that several must sign, before all have. `state`: proposed, declined, cancelled, expired or stale.

    `statement` is None where this version does not know its kind (`known_kind` is false): it cannot be signed here.
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
        """Read what a registry says of a draft; raise `ValueError` and the like where it is none."""
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
    """What one revenue report paid each party, and what was too small to divide and is carried on."""

    digest: bytes
    amount: int
    paid: Mapping[bytes, int]
    carried: int

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> PaidReport:
        """Read a report's line."""
        paid, carried = _amounts(answer["paid"]), int(answer["carried"])
        return cls(_digest(answer["digest"]), int(answer["amount"]), paid, carried)

    def to_json(self) -> dict[str, Any]:
        """Return it as the registry shows it: amounts are decimal strings."""
        paid = _shown(self.paid)
        return {"digest": to_hex(self.digest), "amount": str(self.amount), "paid": paid, "carried": str(self.carried)}


@dataclass(frozen=True, slots=True)
class Payouts:
    """What each party of an agreement got of each report, and would get of what is `carried` if it ended (`closing`).

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
        """Read one page of reports."""
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
        """Return all pages as one, as the registry shows them: amounts are decimal strings."""
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
    """Something that happened to the statement or draft `digest`. Go on after it with its `cursor`.

    `name` is as in docs/formats.md; `account` and `chain_id` are there where the event has one.
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
        """Read an event."""
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
    """A bundle that was verified: it is of this registry and this statement, and no answer about it or an anchor is no.

    `data` is the file (NAME.deed); `verdict` has the answers. What needs a final block's hash is not checked in it.
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
