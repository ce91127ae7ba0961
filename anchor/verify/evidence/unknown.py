"""An anchor of a type that this version does not know. It is preserved as read, never a yes, and never an error."""

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
    """An anchor's type, and its JSON object as read. The meaning of the other members is unknown."""

    type: str
    value: dict[str, Any]

    @classmethod
    def from_json(cls, value: dict[str, Any], field: str) -> Self:
        """Return the anchor from its JSON form, which must have a `type`. Raises `InvalidData` (`json.null`)."""
        _refuse_null(value, field)
        return cls(value["type"], value)

    @property
    def tlog_proof(self) -> None:
        """Always None: in an unknown type, a member with that name may mean something else."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object as read."""
        return self.value

    def check(self, _entry: LoggedEntry, _pins: Pins) -> AnchorFindings:
        """Return not checked for all four questions, since this version does not know the type."""
        remark = not_checked("evidence.unknown_type", type=self.type)
        return AnchorFindings(self.type, dict.fromkeys(EVIDENCE_QUESTIONS, remark), known=False)


def _refuse_null(value: object, field: str) -> None:
    """Refuse null members, as in all JSON here. `strict_json` has already bounded the depth."""
    if value is None:
        raise InvalidData("json.null", field=field)
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_null(member, field)
