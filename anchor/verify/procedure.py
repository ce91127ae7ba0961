"""From a bundle to its verdict. Pure. The steps have the numbers of the procedure in `docs/formats.md`.

1. Recompute the registry address from the bundle's salt and arguments; compare it with the pinned address.
2. Rebuild the statement and its digest from the typed data, whose domain must be this registry's.
3. file: compare the file's hash and length with the statement's.
4. signatures, complete, author: check each signature of the entry over the digest, and that none is missing.
5. Rebuild the entry from body, signatures and time; it must equal the logged bytes.
6. For each anchor of type `evm-slot`: header → state root → account → slot of the root → head. The head's size must be
   the checkpoint's. An anchor of an unknown type is not checked.
7. included: the entry's inclusion proof holds in a tree whose size and root come from one trusted source: a head that
   step 6 found in a block that the user or nodes vouch for, or a checkpoint that the registry's log key signed.
8. anchored, final and time of each anchor: whether the user's block hash or nodes vouch for its block.
9. The bundle's answers are those of one anchor. The set of anchors decides which, never their order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deedlog.anchor.verify.inclusion import find_inclusion
from deedlog.anchor.verify.verdict import (
    EVIDENCE_QUESTIONS,
    Answer,
    Finding,
    Trust,
    Verdict,
    no,
    not_checked,
    refuted,
    yes,
)
from deedlog.registry.errors import DeedlogError, VerificationError
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements import entry as entries
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import check, check_complete
from deedlog.registry.statements.typed_data import from_typed_data, signed_for

if TYPE_CHECKING:
    from deedlog.anchor.verify.bundle import Bundle
    from deedlog.anchor.verify.pins import Pins
    from deedlog.registry.file_digest import FileDigest
    from deedlog.registry.statements import Statement

_BELOW_SIGNATURES = ("complete", *EVIDENCE_QUESTIONS)


def verify(
    bundle: Bundle,
    pins: Pins,
    file: FileDigest | None = None,
    rendition: Bundle | None = None,
) -> Verdict:
    """Return the verdict on a bundle.

    `file` is the digest of the user's file. `rendition` is the bundle of a rendition: `file` may be that rendition
    instead of the registered file. Raises `InvalidData` only if a bundle's typed data is no statement or its entry
    cannot be parsed.
    """
    # Step 1.
    identity = bundle.registry
    address = identity.address
    # Step 2.
    meant = signed_for(bundle.typed_data)
    statement = from_typed_data(bundle.typed_data, meant)
    digest = statement.digest(domain_separator(meant))
    entry = entries.parse(bundle.entry)
    # Steps 3 and 4.
    findings = {"file": _file(statement, digest, pins, file, rendition)}
    findings |= _signed(statement, digest, entry)
    # Steps 5 to 9.
    found = find_inclusion(bundle, statement, digest, entry, pins)
    findings = _as_pinned({**findings, **found.findings}, meant, address, pins)
    findings["standing"] = not_checked("standing.needs_registry")
    anchors = tuple(
        replace(item, findings=_as_pinned(item.findings, meant, address, pins)) if item.known else item
        for item in found.anchors
    )
    return Verdict(statement, digest, address, pins.registry == address, found.chain_id, findings, anchors)


def _as_pinned(findings: dict[str, Finding], meant: bytes, address: bytes, pins: Pins) -> dict[str, Finding]:
    """Return the answers that remain after comparing three addresses: statement's domain, log and pin (steps 1 and 2).

    `meant` is the address in the statement's domain, `address` the log's.
    """
    if meant != address:
        return _refused(findings, no("typed_data.domain", expected=to_checksum(address), actual=to_checksum(meant)))
    if pins.registry == address:
        return findings
    if pins.registry is not None:
        other = no("registry.other", expected=to_checksum(pins.registry), actual=to_checksum(address))
        return _refused(findings, other)
    # Without a pin, everything beyond the signatures is only the bundle's own word: not checked at best.
    unpinned = not_checked("registry.from_bundle", registry=to_checksum(address))
    return {
        name: unpinned if name in _BELOW_SIGNATURES and finding.answer is not Answer.NO else finding
        for name, finding in findings.items()
    }


def _refused(findings: dict[str, Finding], reason: Finding) -> dict[str, Finding]:
    """Return the answers of a bundle whose log is another registry's: nothing beyond the signatures counts."""
    refused = {
        **dict.fromkeys(("complete", "included", "anchored"), reason),
        "final": not_checked("final.not_anchored"),
        "time": not_checked("time.not_anchored"),
    }
    return {name: refused.get(name, finding) for name, finding in findings.items()}


def _file(
    statement: Statement, digest: bytes, pins: Pins, file: FileDigest | None, rendition: Bundle | None
) -> Finding:
    if file is None:
        return not_checked("file.not_given")
    content = statement.content()
    if content is None:
        return not_checked("file.no_content", kind=statement.kind)
    if (file.content_hash, file.content_length) == content:
        source = statement.made_from()
        if source is not None:
            maker = ", ".join(map(to_checksum, statement.signers() or ()))
            return yes("file.rendition", Trust.SIGNER, source=to_hex(source), maker=maker)
        return yes("file.same", content_hash=to_hex(file.content_hash))
    if rendition is not None:
        return _file_of_rendition(statement, digest, pins, file, rendition)
    return no("file.differs", expected=to_hex(content[0]), actual=to_hex(file.content_hash))


def _file_of_rendition(statement: Statement, digest: bytes, pins: Pins, file: FileDigest, rendition: Bundle) -> Finding:
    verdict = verify(rendition, pins, file)
    made = verdict.statement
    if made.made_from() != digest:
        return no("file.not_its_rendition", source=to_hex(digest))
    for name in ("file", "signatures", "complete", "included"):
        finding = verdict.findings[name]
        if finding.answer is not Answer.YES:
            return finding
    # Anybody can sign a rendition of anything. It counts only if its maker also signed the source, or if the user
    # trusts the maker.
    makers = made.signers() or ()
    if not set(makers) & {*(statement.signers() or ()), *pins.makers}:
        maker = ", ".join(map(to_checksum, makers))
        return not_checked("file.rendition_of_another", source=to_hex(digest), maker=maker)
    # The rendition must be registered, so this answer also needs the trust on which its own inclusion rests.
    return replace(verdict.findings["file"], trust=(Trust.SIGNER, *verdict.findings["included"].trust))


def _signed(statement: Statement, digest: bytes, entry: entries.Entry) -> dict[str, Finding]:
    try:
        for signature in entry.signatures:
            check(signature, digest)
    except VerificationError as error:
        # If a signature is not over this digest, the entry says nothing about this statement.
        return dict.fromkeys(("author", "signatures", "complete"), refuted(error))
    if not entry.signatures:
        return dict.fromkeys(("author", "signatures", "complete"), no("signature.none"))
    names = ", ".join(to_checksum(signature.account) for signature in entry.signatures)
    findings = {"author": _author(statement, names), "signatures": yes("signatures.all", accounts=names)}
    signers = statement.signers()
    if signers is None:
        return findings | {"complete": not_checked("complete.needs_others")}
    try:
        check_complete(entry.signatures, signers)
    except DeedlogError as error:
        return findings | dict.fromkeys(("author", "complete"), refuted(error))
    return findings | {"complete": complete(statement, names)}


def complete(statement: Statement, names: str, *trust: Trust) -> Finding:
    """Return the yes for complete: all accounts that must sign have signed. `names` lists them.

    If lines are hidden, the reader trusts the signers that hidden and open lines fit together.
    """
    lines = statement.lines()
    if not any(isinstance(line, bytes) for line in lines):
        return yes("complete.all", *trust, accounts=names)
    shown = ", ".join(line.summary() for line in lines if not isinstance(line, bytes)) or "-"
    return yes("complete.some_lines", Trust.SIGNER, *trust, lines=shown, parties=len(lines), accounts=names)


def _author(statement: Statement, names: str) -> Finding:
    if statement.WORD == "platform_word":
        return not_checked("author.platform_only", platform=names)
    if statement.WORD == "maker_word":
        return not_checked("author.rendition", maker=names)
    return yes("author.signed", accounts=names)
