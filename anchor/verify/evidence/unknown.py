"""An anchor of a type that this version does not know: kept as it was read, never a yes, never an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from deedlog.anchor.verify.verdict import EVIDENCE_QUESTIONS, AnchorFindings, not_checked
from deedlog.registry.errors import InvalidData

if TYPE_CHECKING:
    from deedlog.anchor.verify.evidence.anchor import LoggedEntry
    from deedlog.anchor.verify.pins import Pins


@dataclass(frozen=True, slots=True)
class UnknownAnchor:
    """Its type, and its JSON object as it was read: what the members mean is not known here."""

    type: str
    value: dict[str, Any]

    @classmethod
    def from_json(cls, value: dict[str, Any], field: str) -> Self:
        """Return the anchor of its JSON form, which has a `type`; raise `InvalidData` (`json.null`)."""
        _refuse_null(value, field)
        return cls(value["type"], value)

    @property
    def tlog_proof(self) -> None:
        """None: a member of that name may mean something else here."""

    def to_json(self) -> dict[str, Any]:
        """Return the object as it was read."""
        return self.value

    def check(self, _entry: LoggedEntry, _pins: Pins) -> AnchorFindings:
        """Return that nothing is checked, since this version does not know the type."""
        remark = not_checked("evidence.unknown_type", type=self.type)
        return AnchorFindings(self.type, dict.fromkeys(EVIDENCE_QUESTIONS, remark), known=False)


def _refuse_null(value: object, field: str) -> None:
    """Hold an unknown anchor to the rule for all JSON: no member is null. Its depth is bounded by `strict_json`."""
    if value is None:
        raise InvalidData("json.null", field=field)
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_null(member, field)
