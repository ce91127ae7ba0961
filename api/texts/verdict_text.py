"""A verdict, and a statement's members, in words: an answer has its evidence, and whom it trusts. For any screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deedlog.anchor.verify.verdict import EVIDENCE_QUESTIONS, QUESTIONS, Answer
from deedlog.api.texts import text
from deedlog.api.texts.times import moment
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.vocabulary import NONE

if TYPE_CHECKING:
    from deedlog.anchor.verify.verdict import AnchorFindings, Finding, Verdict
    from deedlog.registry.statements.base import Statement

_TIMES = ("acceptBy", "effectiveFrom", "effectiveUntil", "periodStart", "periodEnd")
"""Members that are Unix times by what is agreed or reported; those that end in `At` are when somebody says it was."""

_LINES = ("shares",)
_MAY_BE_NONE = ("termsHash", "supersedes", "corrects")
_NONE = to_hex(NONE)


@dataclass(frozen=True, slots=True)
class Line:
    """One answer in words."""

    question: str
    answer: Answer
    answer_text: str
    label: str
    reason: str
    trust: str


def lines(verdict: Verdict, language: str) -> list[Line]:
    """Return the answers of a verdict in their order, in words."""
    return [_line(name, verdict.findings[name], language) for name in QUESTIONS]


@dataclass(frozen=True, slots=True)
class AnchorLines:
    """One anchor in words: what it is, and the answers that it gives by itself."""

    label: str
    lines: list[Line]


def anchors(verdict: Verdict, language: str) -> list[AnchorLines]:
    """Return what each anchor shows by itself; nothing for a single one, whose answers are the verdict's."""
    return [
        _anchor(position, anchor, language)
        for position, anchor in enumerate(verdict.anchors, 1)
        if len(verdict.anchors) > 1
    ]


def notes(verdict: Verdict, language: str) -> list[str]:
    """Return what must be said before the answers: whose registry, and that a development chain proves nothing."""
    registry = to_checksum(verdict.registry)
    said = [
        text(language, "verdict.pinned" if verdict.registry_pinned else "verdict.not_pinned", {"registry": registry})
    ]
    if verdict.on_development_chain:
        said.append(text(language, "verdict.development_chain", {"chain_id": verdict.chain_id or 0}))
    return said


def heading(verdict: Verdict) -> str:
    """Return the statement's kind and digest."""
    return f"{verdict.statement.kind} {to_hex(verdict.digest)}"


def members(statement: Statement, language: str) -> list[tuple[str, str]]:
    """Return a statement's members as (name, value) for people; each line of an agreement for itself."""
    shown = []
    for name, value in statement.message().items():
        if isinstance(value, list) and name in _LINES:
            shown += [(f"{name}[{position}]", _shown_line(line, language)) for position, line in enumerate(value)]
        else:
            shown.append((name, _shown_member(name, value, language)))
    return shown


def _shown_member(name: str, value: Any, language: str) -> str:
    if value == [] or (name in _MAY_BE_NONE and value == _NONE):
        return text(language, "verdict.none")
    if name == "effectiveUntil" and value == "0":
        return text(language, "verdict.no_end")
    if name in _TIMES:
        return moment(int(value))
    if name.endswith("At"):
        return text(language, "verdict.claimed", {"time": moment(int(value))})
    return ", ".join(value) if isinstance(value, list) else str(value)


def _shown_line(line: Any, language: str) -> str:
    if isinstance(line, str):
        return text(language, "verdict.hidden_line", {"hash": line})
    return f"{line['party']}  {line['ppm']:>9,} ppm  {line['role']}"


def _anchor(position: int, anchor: AnchorFindings, language: str) -> AnchorLines:
    named: dict[str, str | int] = {"position": position, "type": anchor.type}
    if anchor.chain_id is None:
        label = text(language, "verdict.anchor", named)
    elif anchor.on_development_chain:
        label = text(language, "verdict.anchor_on_development_chain", {**named, "chain_id": anchor.chain_id})
    else:
        label = text(language, "verdict.anchor_on_chain", {**named, "chain_id": anchor.chain_id})
    questions = EVIDENCE_QUESTIONS if anchor.known else ("anchored",)  # of an unknown one all four say the same
    lines = [_line(name, anchor.findings[name], language) for name in questions]
    return AnchorLines(label, lines)


def _line(name: str, finding: Finding, language: str) -> Line:
    trusts = [text(language, f"trust.{trust}") for trust in finding.trust]
    return Line(
        question=name,
        answer=finding.answer,
        answer_text=text(language, f"answer.{finding.answer.name.lower()}"),
        label=text(language, f"question.{name}"),
        reason=text(language, finding.code, finding.params),
        trust="; ".join(trusts),
    )
