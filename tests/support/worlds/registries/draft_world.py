"""Three people who are to sign one agreement, at a running registry, and how far its draft has come."""

from __future__ import annotations

from support.worlds.registries.http_refusals import code_of
from support.worlds.registries.shares_world import agreement, equal, people, work

from deedlog.registry.hexadecimal import from_hex


def three(sharing):
    """Return three people, the first of whom has a work, a payer, and an agreement of the three."""
    anna, ben, cleo, payer = people(4)
    made = sharing.register(work(anna), anna)
    return (anna, ben, cleo), payer, made, agreement([made], equal([anna, ben, cleo]), payer)


def complete(sharing, statement, *signers):
    answer = sharing.post(statement, *signers)
    assert answer.status_code == 201, answer.text
    return from_hex(answer.json()["digest"], 32, None)


def state(sharing, statement, person):
    answer = sharing.draft(sharing.digest(statement), person)
    return answer.json()["state"] if answer.status_code == 200 else code_of(answer)
