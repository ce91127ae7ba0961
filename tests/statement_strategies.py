"""Statements of every kind, with everything that their members may hold, for Hypothesis to draw from."""

from __future__ import annotations

from hypothesis import strategies as st

from registry.statements import KINDS

BAD = "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
texts = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=BAD), min_size=1, max_size=200
).filter(lambda text: not text.isspace())
hashes = st.binary(min_size=32, max_size=32)
accounts = st.binary(min_size=20, max_size=20).filter(any)
times = st.integers(0, 2**64 - 1)
media_types = st.from_regex(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,30}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}", fullmatch=True)
members_by_type = {
    "address": accounts,
    "address[]": st.lists(accounts, min_size=1, max_size=64, unique=True).map(lambda items: tuple(sorted(items))),
    "bytes32": hashes,
}
members_by_name = {
    "basis": st.sampled_from(["own", "employment", "commission"]),
    "aiUse": st.sampled_from(["none", "assisted", "generated"]),
    "mediaType": media_types,
    "contentLength": st.integers(1, 2**64 - 1),
    **dict.fromkeys(("title", "creditedAs", "tool"), texts),
    **dict.fromkeys(("madeAt", "uploadedAt"), times),
}


def any_member(name, of):
    """Values of the member `name`, of the member type `of`."""
    return members_by_name[name] if name in members_by_name else members_by_type[of.name]


def statements_of(kind):
    """Statements of one kind."""
    return st.builds(kind, **{name: any_member(name, of) for name, of in kind.STRUCT.members})


statements = st.one_of([statements_of(kind) for kind in KINDS.values()])
registries = st.binary(min_size=20, max_size=20)
