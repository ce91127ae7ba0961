"""The steps of making a registry, of accepting, drafts, sequencing, anchoring; and what a crash after each leaves.

Each write is one transaction, so a crash is before it or after it, and the next process reads first and carries on:
there is no recovery mode. The tests end a process at every step of this list, and then look from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = {
    "init.log_key": "the log key: `init` run again uses it",
    "init.operator_key": "both keys: `init` run again uses them",
    "init.migrated": "both keys and empty tables: the same",
    "init.created": "the log, whose row holds the identity: `init` run again with the same arguments writes the file",
    "init.identified": "the registry",
    "accept.checked": "nothing: the client sends again",
    "accept.inserted": "nothing: the transaction is rolled back, the client sends again",
    "accept.committed": "the statement, accepted: the client sends again and is answered `known`",
    "draft.checked": "nothing: the signer sends again",
    "draft.written": "nothing: the transaction is rolled back, the signer sends again",
    "draft.committed": "the signature; with the last one the statement, accepted: who sends again is answered `known`",
    "sequence.locked": "nothing: the statements stay accepted, the next worker takes them",
    "sequence.marked": "the same: indices and entries are rolled back",
    "sequence.tiled": "the same: the tiles are rolled back",
    "sequence.signed": "the same: a checkpoint that was signed has left the process by no way",
    "sequence.swapped": "the same: the log's row is rolled back",
    "sequence.committed": "the batch, logged; the last-signed file is one batch behind, which is allowed",
    "sequence.remembered": "the batch, logged and remembered",
    "anchor.head_checked": "nothing: the next tick begins again",
    "anchor.signed": "nothing: the transaction was neither stored nor sent",
    "anchor.stored": "an attempt, prepared, with its signed transaction: the next tick sends it",
    "anchor.sent": "an attempt, prepared: the next tick sends it again, a node that knows it says so",
    "anchor.noted": "an attempt, sent: the next tick looks for it in the contract",
    "anchor.proven": "a head in the contract: the next tick proves it again",
    "anchor.kept": "the anchor, kept; its attempt still open: the next tick settles it",
    "anchor.settled": "an attempt, mined: finality is followed at each tick",
    "anchor.moved": "an anchor, proven again after a reorganisation; or none, and its attempt sent again",
    "anchor.finalised": "an anchor, final",
}
"""Step → what a crash right after it leaves, and what happens then."""

hook: Callable[[str], None] | None = None
"""Called at each step where a test has set it; nothing in the packages does."""


def failpoint(step: str) -> None:
    """Say that a step of `STEPS` is done."""
    if hook is not None:
        hook(step)
