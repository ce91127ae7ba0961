"""Statements of every kind, with everything that their members may hold, for Hypothesis to draw from."""

from __future__ import annotations

import dataclasses

from hypothesis import strategies as st

from deedlog.registry.statements import KINDS, Agreement, RevenueReport, Rotation, Share
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.eip712 import line_hash
from deedlog.registry.statements.vocabulary import NONE, ROLES

BAD = "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
texts = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=BAD), min_size=1, max_size=200
).filter(lambda text: not text.isspace())
hashes = st.binary(min_size=32, max_size=32)
accounts = st.binary(min_size=20, max_size=20).filter(any)
times = st.integers(0, 2**64 - 1)
media_types = st.from_regex(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,30}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}", fullmatch=True)


def ascending(items, minimum, maximum):
    """Sets of items in their one form."""
    return st.lists(items, min_size=minimum, max_size=maximum, unique=True).map(lambda drawn: tuple(sorted(drawn)))


@st.composite
def all_of_it(draw, parts):
    """Shares of that many that come to the whole."""
    cuts = sorted(draw(st.sets(st.integers(1, WHOLE - 1), min_size=parts - 1, max_size=parts - 1)))
    return [end - start for start, end in zip([0, *cuts], [*cuts, WHOLE], strict=True)]


@st.composite
def lines_of(draw, parties):
    """The shares of these parties."""
    ppm = draw(all_of_it(len(parties)))
    return tuple(
        Share(party, draw(st.sampled_from(ROLES)), each, draw(hashes)) for party, each in zip(parties, ppm, strict=True)
    )


parties = ascending(accounts, 2, 6)
members_by_type = {
    "address": accounts,
    "address[]": ascending(accounts, 1, 64),
    "bytes32": hashes,
}
members_by_name = {
    "basis": st.sampled_from(["own", "employment", "commission"]),
    "aiUse": st.sampled_from(["none", "assisted", "generated"]),
    "role": st.sampled_from(ROLES),
    "degree": st.sampled_from(["lead", "equal", "supporting"]),
    "agent": st.sampled_from(["human", "ai", "tool"]),
    "currency": st.from_regex(r"[A-Z]{3}", fullmatch=True),
    "amount": st.integers(-(2**255), 2**255 - 1),
    "mediaType": media_types,
    "contentLength": st.integers(1, 2**64 - 1),
    "works": ascending(hashes, 1, 6),
    "parties": parties,
    "leaving": ascending(accounts, 0, 3),
    "shares": parties.flatmap(lines_of),
    **dict.fromkeys(("title", "creditedAs", "tool", "reason"), texts),
    **dict.fromkeys(("madeAt", "uploadedAt", "acceptBy", "effectiveFrom", "effectiveUntil"), times),
    **dict.fromkeys(("periodStart", "periodEnd"), times),
}
amount_bases = st.sampled_from(["gross", "net"])


def any_member(kind, name, of):
    """Values of the member `name`, of the member type `of`, whatever else its statement holds."""
    if (kind, name) == (RevenueReport, "basis"):
        return amount_bases
    return members_by_name[name] if name in members_by_name else members_by_type[of.name]


def members_of(kind):
    """Members of a statement of one kind, each for itself."""
    return st.fixed_dictionaries(
        {attribute: any_member(kind, member, of) for attribute, member, of in kind.STRUCT.members}
    )


@st.composite
def agreements(draw):
    """Agreements with all lines shown."""
    members = draw(members_of(Agreement))
    members["shares"] = draw(lines_of(members["parties"]))
    members["leaving"] = tuple(account for account in members["leaving"] if account not in members["parties"])
    if members["leaving"] and members["supersedes"] == NONE:
        members["supersedes"] = b"\1" * 32
    if members["effectiveUntil"] <= members["effectiveFrom"]:
        members["effectiveUntil"] = 0
    return Agreement(**members)


@st.composite
def reports(draw):
    """Reports of a period."""
    members = draw(members_of(RevenueReport))
    start, end = sorted(draw(st.sets(times, min_size=2, max_size=2)))
    return RevenueReport(**members | {"periodStart": start, "periodEnd": end})


rotations = members_of(Rotation).filter(lambda members: members["from_"] != members["to"])
whose_members_go_together = {
    "Agreement": agreements(),
    "RevenueReport": reports(),
    "Rotation": rotations.map(lambda members: Rotation(**members)),
}


def statements_of(kind):
    """Statements of one kind, whole."""
    if kind.__name__ in whose_members_go_together:
        return whose_members_go_together[kind.__name__]
    return members_of(kind).map(lambda members: kind(**members))


@st.composite
def in_part(draw):
    """Pairs of a whole agreement and the same one with some of its lines hidden."""
    whole = draw(agreements())
    hidden = draw(st.lists(st.booleans(), min_size=len(whole.shares), max_size=len(whole.shares)))
    shares = tuple(line_hash(line) if hide else line for line, hide in zip(whole.shares, hidden, strict=True))
    return whole, dataclasses.replace(whole, shares=shares)


statements = st.one_of([statements_of(kind) for kind in KINDS.values()])
readable = statements | in_part().map(lambda pair: pair[1])
"""Statements, also such that nobody would accept anew, because lines are hidden."""

registries = st.binary(min_size=20, max_size=20)
