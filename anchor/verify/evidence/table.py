"""The table of the sorts of evidence, and the parser of anchors that uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deedlog.anchor.verify.evidence import evm_slot
from deedlog.anchor.verify.evidence.unknown import UnknownAnchor
from deedlog.registry.errors import InvalidData

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deedlog.anchor.verify.evidence.anchor import Anchor

SORTS: Mapping[str, Callable[[object, str], Anchor]] = {evm_slot.TYPE: evm_slot.EvmSlot.from_json}
"""The parser of each type of anchor: (JSON value, field name) → anchor. Raises `InvalidData`."""

_TYPE = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}", re.ASCII)


def parse_anchor(value: object, field: str) -> Anchor:
    """Parse an anchor from its JSON form. Raises `InvalidData` naming the member at fault.

    An unknown type is no error.
    """
    if not isinstance(value, dict):
        raise InvalidData("json.not_an_object", field=field)
    if "type" not in value:
        raise InvalidData("json.member_missing", field=f"{field}.type")
    sort = value["type"]
    if not isinstance(sort, str) or _TYPE.fullmatch(sort) is None:
        raise InvalidData("bundle.anchor_type", field=f"{field}.type")
    return SORTS[sort](value, field) if sort in SORTS else UnknownAnchor.from_json(value, field)
