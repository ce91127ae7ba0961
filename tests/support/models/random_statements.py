"""Statements that random people make: of what there is mostly, and sometimes wrong."""

from __future__ import annotations

from support.models.random_letters import TICK, RandomCorrespondents
from support.worlds.registries.registry_world import salt

from deedlog.registry.statements import (
    Agreement,
    Share,
    Work,
)
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.vocabulary import NONE

CONTENTS = 4
"""Files that may be claimed more than once."""


class RandomStatements(RandomCorrespondents):
    """Makes statements of works and agreements, mostly right, for whoever sends them."""

    def make_work(self):
        creators = {self.live() for _ in range(self.one((1, 1, 2, 3)))}
        content = salt(f"content {self.number(1, CONTENTS)}") if self.chance(20) else self.salt()
        if self.rights.of("Work") and self.chance(20):  # the same once more, under another salt
            before = self.one(self.rights.of("Work")).statement
            creators, content = before.creators, before.contentHash
        made_at = self.now + self.one((0, 0, 0, 0, 600, 601))
        return Work(
            "A film", "Us", tuple(sorted(creators)), "own", "none", content, 1, "video/mp4", made_at, self.salt()
        )

    def confirming(self, digest):
        """Return who may confirm a claim, mostly."""
        claim, contribution = self.rights.find("Claim", digest), self.rights.find("Contribution", digest)
        if self.chance(10) or not (claim or contribution):
            return self.live()
        if claim:
            return self.rights.holder(self.rights.find("Upload", claim.statement.upload).statement.platform, self.now)
        return self.one(sorted(self.live_of(self.rights.creators(contribution.statement.work))))

    def make_agreement(self):
        found = self.changeable()
        before = self.one(found) if found and self.chance(60) else None
        works = {self.some_work() for _ in range(self.one((1, 1, 2)))}
        members = {"supersedes": NONE, "leaving": ()}
        if before is not None:
            members["supersedes"] = self.some_digest("Work") if self.chance(3) else before.digest
            if not self.chance(5):
                works = {*before.statement.works} if self.chance(60) else {*works, before.statement.works[0]}
        parties = {self.live() for _ in range(2)}
        for work in works:
            parties |= self.live_of(self.rights.creators(work) or ())
        if self.chance(6):
            parties.discard(self.one(sorted(parties)))
        while len(parties) < 2:
            parties.add(self.one(self.keys))
        if before is not None:
            leaving = self.live_of(before.statement.parties) - parties
            if leaving and self.chance(10):
                leaving.discard(self.one(sorted(leaving)))
            if self.chance(6):
                leaving.add(self.one(self.keys))
            members["leaving"] = tuple(sorted(leaving))
        elif self.chance(1):
            members["leaving"] = (self.stranger,)
        return self.with_times_and_lines(works, sorted(parties), before, members)

    def with_times_and_lines(self, works, parties, before, members):
        touched = {*works, *(before.statement.works if before else ())}
        start = self.instant()
        if self.chance(65):
            start = self.first_free(touched) - self.chance(8)
        elif before is not None and self.rights.end(before) < self.now + 20 * TICK:
            start = self.rights.end(before)
        until = start + TICK * self.number(1, 8) if self.chance(50) else 0
        until = start - self.number(0, 1) if self.chance(2) else until
        payer = self.rights.holder(self.one(self.payers), self.now) if self.chance(85) else self.one(self.keys)
        payer = before.statement.payer if before is not None and self.chance(70) else payer
        lines = self.lines(parties)
        return as_said(
            Agreement,
            works=tuple(sorted(works)),
            parties=tuple(parties),
            shares=tuple(lines),
            termsHash=NONE,
            payer=payer,
            acceptBy=self.now + TICK * self.one((50, 50, 50, 2, 1, 0)) - self.chance(3),
            effectiveFrom=start,
            effectiveUntil=until,
            salt=self.salt(),
            **members,
        )

    def lines(self, parties):
        """Return lines that come to the whole, mostly."""
        cuts = sorted({self.number(1, WHOLE - 1) for _ in parties[1:]})
        while len(cuts) < len(parties) - 1:
            cuts = sorted({*cuts, len(cuts) + 1, WHOLE - 1 - len(cuts)})[: len(parties) - 1]
        parts = [end - start for start, end in zip([0, *cuts], [*cuts, WHOLE], strict=True)]
        if self.chance(3):
            parts[0] += 1
        lines = [Share(party, "camera", ppm, self.salt()) for party, ppm in zip(parties, parts, strict=True)]
        if self.chance(1):
            lines.reverse()
        return lines[1:] if len(lines) > 2 and self.chance(1) else lines


def as_said(kind, **members):
    """Return a statement as somebody can send it who has other software: nothing has looked at it as a whole."""
    made = object.__new__(kind)
    for name, value in members.items():
        object.__setattr__(made, name, value)
    return made
