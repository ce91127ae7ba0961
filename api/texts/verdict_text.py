"""A verdict and a statement's members in words, for any screen. Each answer has its reason and whom it trusts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deedlog.anchor.verify.verdict import EVIDENCE_QUESTIONS, QUESTIONS, Answer
from deedlog.api.texts import catalogue, text
from deedlog.registry import times
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.member_types import Reading
from deedlog.registry.statements.vocabulary import NONE, UNSAID

if TYPE_CHECKING:
    from deedlog.anchor.verify.verdict import AnchorFindings, Finding, Verdict
    from deedlog.registry.statements.base import Statement
    from deedlog.registry.statements.eip712 import StructValue

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
    """Return the answers of a verdict in words, in the order of `QUESTIONS`."""
    return [_line(name, verdict.findings[name], language) for name in QUESTIONS]


@dataclass(frozen=True, slots=True)
class AnchorLines:
    """One anchor in words: a label, and its own answers."""

    label: str
    lines: list[Line]


def anchors(verdict: Verdict, language: str) -> list[AnchorLines]:
    """Return the answers of each anchor; nothing for a single anchor, whose answers are the verdict's."""
    return [
        _anchor(position, anchor, language)
        for position, anchor in enumerate(verdict.anchors, 1)
        if len(verdict.anchors) > 1
    ]


def notes(verdict: Verdict, language: str) -> list[str]:
    """Return the notes before the answers: which registry, and a warning if a development chain proves nothing."""
    registry = to_checksum(verdict.registry)
    said = [
        text(language, "verdict.pinned" if verdict.registry_pinned else "verdict.not_pinned", {"registry": registry})
    ]
    if verdict.on_development_chain:
        said.append(text(language, "verdict.development_chain", {"chain_id": verdict.chain_id or 0}))
    return said


def heading(verdict: Verdict, language: str) -> str:
    """Return the statement's kind and digest."""
    return f"{kind_name(verdict.statement.kind, language)} {to_hex(verdict.digest)}"


def kind_name(kind: str, language: str) -> str:
    """Return the name of a kind for people, followed by the signed name."""
    return _named(text(language, f"kind.{kind}"), kind)


def members(statement: Statement, language: str) -> list[tuple[str, str]]:
    """Return a statement's members as (name, value) for people, each line of a list on its own."""
    shown = []
    for name, value in statement.message().items():
        label = _label(statement.kind, name, language)
        if name == statement.STRUCT.lines:
            lines = enumerate(statement.lines())
            shown += [(f"{label}[{position}]", _shown_line(line, language)) for position, line in lines]
        else:
            shown.append((label, _shown_member(statement.READINGS.get(name), value, language)))
    return shown


def statement_lines(statement: Statement, language: str) -> list[str]:
    """Return a statement in words: its kind and its members, one per line."""
    return [kind_name(statement.kind, language), *(f"{name}: {value}" for name, value in members(statement, language))]


def differences(before: Statement, after: Statement, language: str) -> list[tuple[str, str | None, str | None]]:
    """Return where two statements of one kind differ, as (name, before, after); None: it was not there, or is no more.

    Lines are compared by the account that each is about. Salts always differ and are left out.
    """
    there, here = before.message(), after.message()
    found: list[tuple[str, str | None, str | None]] = []
    for name in there:
        label = _label(after.kind, name, language)
        if name == after.STRUCT.lines:
            found += [(label, *pair) for pair in _differing_lines(before, after, language)]
        elif name != "salt" and there[name] != here[name]:
            reading = after.READINGS.get(name)
            was, now = (_shown_member(reading, value[name], language) for value in (there, here))
            found.append((label, was, now))
    return found


def _differing_lines(before: Statement, after: Statement, language: str) -> list[tuple[str | None, str | None]]:
    was, now = (
        {owner: _shown_line(line, language) for owner, line in zip(each.line_owners(), each.lines(), strict=True)}
        for each in (before, after)
    )
    owners = sorted({*was, *now})
    return [(was.get(owner), now.get(owner)) for owner in owners if was.get(owner) != now.get(owner)]


def _label(kind: str, name: str, language: str) -> str:
    """Return the name of a member for people, followed by the signed name."""
    texts = catalogue(language)
    return _named(texts.get(f"member.{kind}.{name}") or texts[f"member.{name}"], name)


def _named(words: str, signed: str) -> str:
    return words if words == signed else f"{words} ({signed})"


def _shown_member(reading: Reading | None, value: Any, language: str) -> str:
    if value == [] or (reading is Reading.HASH_OR_NONE and value == _NONE):
        return text(language, "verdict.none")
    if reading is Reading.TIME_OR_NEVER and value == "0":
        return text(language, "verdict.no_end")
    if reading in (Reading.TIME, Reading.TIME_OR_NEVER):
        return times.show_both(int(value))
    if reading is Reading.CLAIMED_TIME and int(value) == UNSAID:
        return text(language, "verdict.unsaid")
    if reading is Reading.CLAIMED_TIME:
        return text(language, "verdict.claimed", {"time": times.show_both(int(value))})
    return ", ".join(value) if isinstance(value, list) else str(value)


def _shown_line(line: StructValue | bytes, language: str) -> str:
    if isinstance(line, bytes):
        return text(language, "verdict.hidden_line", {"hash": to_hex(line)})
    return line.summary()


def _anchor(position: int, anchor: AnchorFindings, language: str) -> AnchorLines:
    named: dict[str, str | int] = {"position": position, "type": anchor.type}
    if anchor.chain_id is None:
        label = text(language, "verdict.anchor", named)
    elif anchor.on_development_chain:
        label = text(language, "verdict.anchor_on_development_chain", {**named, "chain_id": anchor.chain_id})
    else:
        label = text(language, "verdict.anchor_on_chain", {**named, "chain_id": anchor.chain_id})
    questions = EVIDENCE_QUESTIONS if anchor.known else ("anchored",)  # an unknown type: all four are the same
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
