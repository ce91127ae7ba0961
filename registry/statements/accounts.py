"""Kinds of statement about accounts."""

from __future__ import annotations

from dataclasses import dataclass

from deedlog.registry.errors import InvalidData
from deedlog.registry.statements.base import Statement, declare
from deedlog.registry.statements.subjects import SUCCESSOR
from deedlog.registry.statements.vocabulary import Account, ClaimedTime, Hash


@declare
@dataclass(frozen=True)
class Rotation(Statement):
    """A statement in which an account names its successor, which acts for it from then on. Both sign."""

    SUBJECTS = (SUCCESSOR,)
    HANDS_OVER = ("from_", "to")

    from_: Account
    to: Account
    madeAt: ClaimedTime
    salt: Hash

    def signers(self) -> tuple[bytes, ...]:
        return tuple(sorted((self.from_, self.to)))

    def subjects(self) -> tuple[str, ...]:
        return (SUCCESSOR.of(self.to),)

    def check_whole(self) -> None:
        """Raise `InvalidData` (`rotation.to_itself`) if the account names itself."""
        if self.from_ == self.to:
            raise InvalidData("rotation.to_itself", field="to")
