"""The verdict: separate answers, each with its reason and whom you trust for it. Never one green tick."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from deedlog.anchor.evm.finality import DEVELOPMENT_CHAINS
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex

if TYPE_CHECKING:
    from collections.abc import Collection

    from deedlog.registry.errors import DeedlogError
    from deedlog.registry.statements import Statement

QUESTIONS = ("file", "author", "signatures", "complete", "included", "anchored", "final", "time", "standing")
EVIDENCE_QUESTIONS = ("included", "anchored", "final", "time")
"""The questions that each anchor of a bundle answers by itself, and all anchors answer together."""

REQUIRED = ("file", "signatures", "complete", "included", "anchored")
"""The questions that must be yes by default (file: only if a file is given)."""


class Answer(StrEnum):
    """The answer to a question."""

    YES = "yes"
    NO = "no"
    NOT_CHECKED = "not checked"


class Trust(StrEnum):
    """Whom you trust if you accept an answer, besides mathematics."""

    NOBODY = "nobody"
    LOG_KEY = "log_key"
    YOU = "you"
    NODES = "nodes"
    SIGNER = "signer"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer, and its reason: a code of the catalogue of texts, with parameters."""

    answer: Answer
    code: str
    params: dict[str, str | int] = field(default_factory=dict)
    trust: tuple[Trust, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "answer": str(self.answer),
            "code": self.code,
            "params": self.params,
            "trusts": [str(trust) for trust in self.trust],
        }


def yes(code: str, *trust: Trust, **params: str | int) -> Finding:
    """Return a yes with the reason `code`, which rests on `trust` (default: `Trust.NOBODY`)."""
    return Finding(Answer.YES, code, params, trust or (Trust.NOBODY,))


def no(code: str, **params: str | int) -> Finding:
    """Return a no with the reason `code`."""
    return Finding(Answer.NO, code, params)


def refuted(error: DeedlogError) -> Finding:
    """Return a no whose reason is the error that a check raised."""
    return Finding(Answer.NO, error.code, error.params)


def not_checked(code: str, **params: str | int) -> Finding:
    """Return a not checked with the reason `code`."""
    return Finding(Answer.NOT_CHECKED, code, params)


@dataclass(frozen=True, slots=True)
class AnchorFindings:
    """One anchor's own answers: those that the bundle would give if it had no other anchor.

    `known` is false if this version does not know the anchor's type. `broken` is true if its own proofs do not hold.
    """

    type: str
    findings: dict[str, Finding]
    chain_id: int | None = None
    known: bool = True
    broken: bool = False

    @property
    def on_development_chain(self) -> bool:
        """Whether the anchor is on a development chain, which proves nothing to others."""
        return self.chain_id in DEVELOPMENT_CHAINS

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form: type, chain (if the type has one), answers by question."""
        answers = {"answers": {name: self.findings[name].to_json() for name in EVIDENCE_QUESTIONS}}
        if self.chain_id is None:
            return {"type": self.type, **answers}
        chain = {"chain_id": self.chain_id, "development_chain": self.on_development_chain}
        return {"type": self.type, **chain, **answers}


@dataclass(frozen=True, slots=True)
class Verdict:
    """All answers about one bundle, with its statement, digest (32 bytes), registry address (20 bytes) and chain.

    `chain_id` is the chain that the answers rest on, if any. `anchors` are in the bundle's order.
    """

    statement: Statement
    digest: bytes
    registry: bytes
    registry_pinned: bool
    chain_id: int | None
    findings: dict[str, Finding]
    anchors: tuple[AnchorFindings, ...] = ()

    @property
    def on_development_chain(self) -> bool:
        """Whether the answers rest on a development chain, which proves nothing to others."""
        return self.chain_id in DEVELOPMENT_CHAINS

    def exit_code(self, require: Collection[str]) -> int:
        """Return 1 if any answer is no; else 2 if a question in `require` is not answered yes; else 0."""
        if any(finding.answer is Answer.NO for finding in self.findings.values()):
            return 1
        return 0 if all(self.findings[name].answer is Answer.YES for name in require) else 2

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, with the answers by question in the order of `QUESTIONS`."""
        return {
            "digest": to_hex(self.digest),
            "kind": self.statement.kind,
            "registry": to_hex(self.registry),
            "registry_pinned": self.registry_pinned,
            "chain_id": self.chain_id,
            "development_chain": self.on_development_chain,
            "answers": {name: self.findings[name].to_json() for name in QUESTIONS},
            "anchors": [anchor.to_json() for anchor in self.anchors],
            "statement": self.statement.message(),
        }


def parse_require(text: str | None, *, file_given: bool) -> tuple[str, ...]:
    """Return the questions that must be yes, from a comma-separated list (None: `REQUIRED`).

    Raises `InvalidData` (`verify.unknown_question`).
    """
    if text is None:
        return tuple(name for name in REQUIRED if name != "file" or file_given)
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in QUESTIONS:
            raise InvalidData("verify.unknown_question", question=name[:32], questions=", ".join(QUESTIONS))
    return names
