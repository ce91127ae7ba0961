"""Short logs, written by hand: what is said next counts, or is refused, and why."""

from __future__ import annotations

from support.models.rights_log import (
    ANNA,
    NOW,
    PAYER,
    PLATFORM,
    claim,
    countersignature,
    upload,
)

from deedlog.registry.rules import fold as rules
from deedlog.registry.rules import payouts


def fold(log, at=rules.FOR_EVER):
    return rules.state(log.facts, at)


def last(log):
    """Return what the last statement comes to, after all: its standing."""
    return rules.standing(fold(log), log.facts[-1].digest, log.time)


def refused(log, statement, accounts=None, **how):
    """Log a statement that does not count; return the code and the parameters of why not."""
    log.add(statement, accounts, **how)
    standing = last(log)
    assert not standing.counts
    return standing.code, standing.params


def counts(log, statement, accounts=None, **how):
    """Log a statement that counts; return its digest."""
    digest = log.add(statement, accounts, **how)
    assert fold(log).standings[digest].counts, last(log)
    return digest


def changes(state, digest):
    """Return what the reports under an agreement added to its revenue."""
    return payouts.changes([(each, state.reports[each].report) for each in state.agreements[digest].reports])


def covering_in(state, digest, payer, at, now):
    holder = state.holder(payer, now)
    found = [(other, state.agreements[other]) for other in state.agreements]
    return [
        other
        for other, each in found
        if digest in each.agreement.works
        and state.holder(each.agreement.payer, now) == holder
        and each.start <= at < each.end
    ]


def in_force(log, of, payer=PAYER, at=NOW):
    """Return the one agreement that covers a work for a payer at an instant, or None."""
    found = covering_in(fold(log), of, payer, at, log.time)
    assert len(found) <= 1
    return found[0] if found else None


def claimed_upload(log, creator=ANNA):
    of = counts(log, upload())
    mine = counts(log, claim(of, creator))
    counts(log, countersignature(mine, PLATFORM))
    return of
