"""A verdict that takes other statements of the same log into account, by the rules. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deedlog.anchor.verify.inclusion import position_of
from deedlog.anchor.verify.procedure import complete, verify
from deedlog.anchor.verify.verdict import Answer, Finding, Verdict, not_checked, yes
from deedlog.registry.errors import VerificationError
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.rules import fold
from deedlog.registry.rules.rule import RULES
from deedlog.registry.rules.state import Fact
from deedlog.registry.statements import entry as entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedlog.anchor.verify.bundle import Bundle
    from deedlog.anchor.verify.pins import Pins
    from deedlog.registry.statements.base import Statement


_PROVEN = ("signatures", "included")
"""The answers that must be yes for every statement before the rules are applied to it."""


def with_others(verdict: Verdict, bundle: Bundle, pins: Pins, others: Sequence[Bundle]) -> Verdict:
    """Return the verdict on a bundle, given other bundles of the same log whose statements bear on it.

    Examples: the claim of an upload, its countersignature, the agreement that is terminated. If any of the bundles is
    not proven to be signed and included, standing is not checked and the other answers stay as they are.
    """
    findings = verdict.findings
    if not others or any(findings[name].answer is not Answer.YES for name in _PROVEN):
        return verdict
    return replace(verdict, findings={**findings, **_found(verdict, bundle, pins, others)})


def _found(verdict: Verdict, bundle: Bundle, pins: Pins, others: Sequence[Bundle]) -> dict[str, Finding]:
    facts = {}
    for each in (bundle, *others):
        one = verify(each, pins)
        proven = all(one.findings[name].answer is Answer.YES for name in _PROVEN)
        try:
            position = position_of(each)
        except VerificationError:
            proven = False
        if not proven:
            return {"standing": not_checked("standing.with_others", digest=to_hex(one.digest))}
        facts[position] = fact_of(one.statement, one.digest, entries.parse(each.entry))
    rights = fold.state([fact for _, fact in sorted(facts.items())])
    entry = entries.parse(bundle.entry)
    standing = fold.standing(rights, verdict.digest, entry.time)
    found = {"standing": Finding(Answer.NOT_CHECKED, standing.code, dict(standing.params))}
    if not standing.counts:
        return found
    statement, trust = verdict.statement, verdict.findings["included"].trust
    if RULES[statement.kind].signers is not None:  # the statement counts, so all required accounts have signed
        names = ", ".join(to_checksum(signature.account) for signature in entry.signatures)
        found["complete"] = complete(statement, names, *trust)
    work = rights.works.get(verdict.digest)
    if work is not None and work.platform is not None and work.claim is not None:
        accounts = ", ".join(map(to_checksum, work.creators))
        found["author"] = yes("author.claimed", *trust, platform=to_checksum(work.platform), accounts=accounts)
    return found


def fact_of(statement: Statement, digest: bytes, entry: entries.Entry) -> Fact:
    """Return a statement as a fact, the form in which the rules read it."""
    accounts = tuple(signature.account for signature in entry.signatures)
    return Fact(digest, statement.kind, accounts, entry.subjects, entry.time, statement)
