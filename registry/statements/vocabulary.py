"""The member types that several kinds share: length limits, word lists and sets."""

from __future__ import annotations

from typing import Annotated

from deedlog.registry.hexadecimal import HASH_SIZE
from deedlog.registry.statements import member_types
from deedlog.registry.statements.member_types import Reading

TITLE_LENGTH = 200
NAME_LENGTH = 200
REASON_LENGTH = 200
MAXIMUM_CREATORS = 64
MAXIMUM_PARTIES = 64
MAXIMUM_WORKS = 64

NONE = bytes(HASH_SIZE)
"""The value of a member that may hold a digest or text hash and holds none."""

UNSAID = 0
"""The value of a member with a claimed time if the signer does not say when it was."""

ROLES = (
    "script",
    "presenter",
    "research",
    "fact-check",
    "camera",
    "editing",
    "animation",
    "music",
    "translation",
    "subtitles",
    "reviewer",
    "producer",
    "supervisor",
    "material",
    "viewer-contribution",
)
"""Version 1 of the list. It is part of the kinds that use it: a changed list needs new kinds."""

Title = Annotated[str, member_types.Text(TITLE_LENGTH)]
Name = Annotated[str, member_types.Text(NAME_LENGTH)]
Reason = Annotated[str, member_types.Text(REASON_LENGTH)]
Basis = Annotated[str, member_types.Word(("own", "employment", "commission"))]
AiUse = Annotated[str, member_types.Word(("none", "assisted", "generated"))]
Role = Annotated[str, member_types.Word(ROLES)]
Degree = Annotated[str, member_types.Word(("lead", "equal", "supporting"))]
Agent = Annotated[str, member_types.Word(("human", "ai", "tool"))]
AmountBasis = Annotated[str, member_types.Word(("gross", "net"))]
Currency = Annotated[str, member_types.Pattern(r"[A-Z]{3}", 3)]  # ISO 4217 alphabetic code
MediaType = Annotated[
    str, member_types.Pattern(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}", 127)
]  # RFC 6838 §4.2, in lower case
Hash = Annotated[bytes, member_types.Bytes32()]
HashOrNone = Annotated[bytes, member_types.Bytes32(), Reading.HASH_OR_NONE]
Account = Annotated[bytes, member_types.Account()]
Creators = Annotated[tuple[bytes, ...], member_types.accounts(MAXIMUM_CREATORS)]
Parties = Annotated[tuple[bytes, ...], member_types.accounts(MAXIMUM_PARTIES, 2)]
Leaving = Annotated[tuple[bytes, ...], member_types.accounts(MAXIMUM_PARTIES, 0)]
Works = Annotated[tuple[bytes, ...], member_types.hashes(MAXIMUM_WORKS)]
Length = Annotated[int, member_types.uint64(minimum=1)]
Time = Annotated[int, member_types.uint64(), Reading.TIME]
ClaimedTime = Annotated[int, member_types.uint64(), Reading.CLAIMED_TIME]
TimeOrNever = Annotated[int, member_types.uint64(), Reading.TIME_OR_NEVER]
Amount = Annotated[int, member_types.int256()]
