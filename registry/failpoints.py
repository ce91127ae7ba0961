"""Failpoints: the named steps of init, acceptance, drafts, sequencing and anchoring, and the result of a crash there.

Each write is one transaction, so a crash happens before it or after it. The next process reads the database first and
continues; there is no recovery mode. The tests kill a process at every failpoint, then check the result from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = {
    "init.log_key": "the log key; running `init` again uses it",
    "init.operator_key": "both keys; running `init` again uses them",
    "init.migrated": "both keys and empty tables; running `init` again uses them",
    "init.created": "the log, with the identity in its row; `init` with the same arguments writes the identity file",
    "init.identified": "the finished registry",
    "accept.checked": "nothing; the client sends again",
    "accept.inserted": "nothing: the transaction is rolled back; the client sends again",
    "accept.committed": "the accepted statement; the client sends again and gets `known`",
    "draft.checked": "nothing; the signer sends again",
    "draft.written": "nothing: the transaction is rolled back; the signer sends again",
    "draft.committed": "the signature, or after the last one the statement; the signer sends again and gets `known`",
    "sequence.locked": "nothing: the statements stay accepted; the next worker logs them",
    "sequence.marked": "nothing: indices and entries are rolled back; the next worker logs them",
    "sequence.tiled": "nothing: the tiles are rolled back as well",
    "sequence.signed": "nothing: the signed checkpoint never left the process",
    "sequence.swapped": "nothing: the log's row is rolled back as well",
    "sequence.committed": "the logged batch; the last-signed file is one batch behind, which is allowed",
    "sequence.remembered": "the logged batch, recorded in the last-signed file",
    "anchor.head_checked": "nothing; the next tick starts again",
    "anchor.signed": "nothing: the transaction was neither stored nor sent",
    "anchor.stored": "a prepared attempt with its signed transaction; the next tick sends it",
    "anchor.sent": "a prepared attempt; the next tick sends it again, and a node that has it says so",
    "anchor.noted": "a sent attempt; the next tick looks for its head in the contract",
    "anchor.proven": "a head in the contract; the next tick proves it again",
    "anchor.kept": "the stored anchor, its attempt still open; the next tick settles it",
    "anchor.settled": "a mined attempt; each tick checks whether it is final",
    "anchor.moved": "an anchor proven again after a reorganisation, or no anchor and its attempt sent again",
    "anchor.finalised": "a final anchor",
}
"""What a crash right after each step leaves, and what happens next."""

hook: Callable[[str], None] | None = None
"""Called at each step. Only tests set it."""


def failpoint(step: str) -> None:
    """Report that a step of `STEPS` is done. A test may kill the process here."""
    if hook is not None:
        hook(step)
