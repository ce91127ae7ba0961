"""A verdict in words: one line for each question, its evidence, and whom it trusts; for terminals and pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from anchor.verdict import QUESTIONS, Answer
from api.texts import text
from registry.hexadecimal import to_checksum, to_hex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anchor.verdict import Finding, Verdict

_LAST_SHOWN = 253_402_214_400
"""9999-12-31 in every zone: a signer may claim any time, and a calendar shows no later one."""


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


def body(verdict: Verdict, language: str) -> list[tuple[str, str]]:
    """Return the statement's members as (name, value) for people."""
    shown = []
    for name, value in verdict.statement.message().items():
        if name.endswith("At"):
            shown.append((name, text(language, "verdict.claimed", {"time": moment(int(value))})))
        else:
            shown.append((name, ", ".join(value) if isinstance(value, list) else str(value)))
    return shown


def moment(seconds: int) -> str:
    """Return a Unix time in the machine's zone and in UTC."""
    if seconds > _LAST_SHOWN:
        return f"{seconds} s"
    utc = datetime.fromtimestamp(seconds, UTC)
    local = utc.astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S} {local:%z} ({utc:%Y-%m-%d %H:%M:%S} UTC)"


def _line(name: str, finding: Finding, language: str) -> Line:
    trusts = [text(language, f"trust.{trust}") for trust in finding.trust]
    return Line(
        question=name,
        answer=finding.answer,
        answer_text=text(language, f"answer.{finding.answer.name.lower()}"),
        label=text(language, f"question.{name}"),
        reason=text(language, finding.code, _shown(finding.params)),
        trust="; ".join(trusts),
    )


def _shown(params: Mapping[str, str | int]) -> dict[str, str | int]:
    return {
        name: moment(value) if name == "time" and isinstance(value, int) else value for name, value in params.items()
    }
