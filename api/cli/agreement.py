"""`deedlog agreement`: propose, show, accept, decline, cancel, amend and end agreements, and simulate payouts."""

from __future__ import annotations

import secrets
import shlex
from dataclasses import replace
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import click

from deedlog.api.cli.common import PATH, say, show_json
from deedlog.api.cli.exit_codes import ExitCode, ending
from deedlog.api.cli.shares import bars, parse_shares
from deedlog.api.cli.signing import MOMENT, Signer, signer_options
from deedlog.api.cli.words.found import body
from deedlog.api.cli.words.show import show_found
from deedlog.api.cli.words.terms import check_terms, new_hash_of, salt_file
from deedlog.api.texts import text
from deedlog.registry import times
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import HASH_SIZE, account_from_any_case, from_hex, to_checksum, to_hex
from deedlog.registry.statements import Agreement, Cancellation, Rotation, Share, Termination, signatures
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.vocabulary import NONE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deedlog.api.cli.signing import Options

MAXIMUM_ROTATIONS = 100


@click.group()
def command() -> None:
    """Agree how the revenue of works is shared. An agreement counts once everybody has signed."""


_TERMS = (
    click.option("--work", "works", multiple=True, metavar="0x…", help="A work that it covers; repeatable."),
    click.option("--share", "shares", multiple=True, metavar="ACCOUNT:PPM:ROLE", help="A line; repeatable."),
    click.option("--payer", help="The account whose revenue reports it goes by."),
    click.option("--terms", type=PATH, help="A text that all agree to; its hash is signed."),
    click.option("--accept-by", type=MOMENT, help="Until when all must have signed; default: in 14 days."),
    click.option("--from", "start", type=MOMENT, help="From when it holds; default: now."),
    click.option("--until", "end", type=MOMENT, help="Until when it holds, 0 for no end; default: open."),
)


def _terms(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_TERMS):
        command = option(command)
    return command


_ACCEPTED_WITHIN = 14 * 24 * 3600


@command.command()
@_terms
@signer_options
def propose(options: Options, **terms: Any) -> None:
    """Propose an agreement, and sign it. It binds nobody until all parties have signed."""
    with Signer(options) as signer:
        with ending(ExitCode.USAGE):
            agreement = _agreement(terms, NONE, None)
        signer.send(agreement, *_warnings(signer, agreement, terms["terms"]), defaulted=_defaulted(terms))


@command.command()
@click.argument("digest")
@_terms
@signer_options
def amend(options: Options, digest: str, **terms: Any) -> None:
    """Propose another agreement in place of DIGEST. All parties of both must sign.

    Works, shares, payer, end and terms that you leave out stay the same. A rotated account is replaced by its
    successor.
    """
    with Signer(options) as signer:
        before_digest = from_hex(digest, HASH_SIZE, "DIGEST")
        signer.client.sign_in()
        before = _with_holders(signer, _read(signer, before_digest))
        with ending(ExitCode.USAGE):
            agreement = _agreement(terms, before_digest, before)
        signer.send(agreement, *_warnings(signer, agreement, terms["terms"]), defaulted=_defaulted(terms))


@command.command("show")
@click.argument("digest")
@signer_options
def show_command(options: Options, digest: str) -> None:
    """Show an agreement or a draft that you are a party of, and who has signed it."""
    with Signer(options) as signer:
        signer.client.sign_in()
        wanted = from_hex(digest, HASH_SIZE, "DIGEST")
        show_found(options.language, signer.client.find(wanted), as_json=options.as_json)


@command.command()
@click.argument("digest")
@click.option("--terms", type=PATH, help="The agreement's text, with its salt beside it: sign only if it is that text.")
@signer_options
def accept(options: Options, digest: str, terms: Path | None) -> None:
    """Sign the draft DIGEST. For an agreement, your signature is valid until acceptBy; `cancel` takes it back."""
    with Signer(options) as signer:
        wanted = from_hex(digest, HASH_SIZE, "DIGEST")
        signer.client.sign_in()
        statement = _read(signer, wanted, of_any_kind=True)
        statement.STRUCT.accept(statement)  # no hidden shares: signers see all that they sign
        if statement.HANDS_OVER is not None:
            raise InvalidData("agreement.rotation", digest=digest)
        if terms is not None:
            check_terms(statement, terms)
        warnings = _warnings(signer, statement, terms, received=True) if isinstance(statement, Agreement) else []
        signer.confirm(statement, *warnings)
        signer.report(signer.client.sign_draft(statement))


@command.command()
@click.argument("digest")
@signer_options
def decline(options: Options, digest: str) -> None:
    """Tell the other parties that you will not sign the draft DIGEST. It binds nobody; `cancel` ends it."""
    with Signer(options) as signer:
        signer.client.sign_in()
        draft = signer.client.decline(from_hex(digest, HASH_SIZE, "DIGEST"))
        if options.as_json:
            show_json(draft.answer)
        else:
            say(options.language, "cli.agreement.you_declined", digest=digest)


@command.command()
@click.argument("digest")
@click.option("--reason", required=True, help="Why; it can be read by anybody.")
@signer_options
def cancel(options: Options, digest: str, reason: str) -> None:
    """End the draft DIGEST for everybody, and so take back your signature. Possible until all have signed."""
    with Signer(options) as signer:
        agreement = from_hex(digest, HASH_SIZE, "DIGEST")
        signer.client.sign_in()
        warnings = []
        if not _is_known(signer, agreement):
            # Somebody may hold the draft unsent, with the signature that this cancellation takes back.
            warnings.append(text(options.language, "cli.agreement.cancel_unknown", {"digest": digest}))
        salt = secrets.token_bytes(HASH_SIZE)
        with ending(ExitCode.USAGE):
            cancellation = Cancellation(agreement=agreement, reason=reason, madeAt=times.now(), salt=salt)
        signer.send(cancellation, *warnings)


@command.command()
@click.argument("digest")
@click.option("--reason", required=True, help="Why; it can be read by anybody.")
@click.option("--from", "start", type=MOMENT, help="From when it holds no more; default: now.")
@signer_options
def terminate(options: Options, digest: str, reason: str, start: int | None) -> None:
    """Propose to end the agreement DIGEST. Every party must sign."""
    with Signer(options) as signer:
        agreement = from_hex(digest, HASH_SIZE, "DIGEST")
        salt = secrets.token_bytes(HASH_SIZE)
        effective = times.now() if start is None else start
        with ending(ExitCode.USAGE):
            termination = Termination(agreement=agreement, reason=reason, effectiveFrom=effective, salt=salt)
        signer.send(termination, defaulted=("effectiveFrom",) if start is None else (), proposed=True)


@command.command()
@click.option("--share", "shares", multiple=True, metavar="ACCOUNT:PPM:ROLE", required=True, help="Repeatable.")
@click.option("--revenue", type=int, multiple=True, required=True, help="Minor units of a period; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def simulate(language: str, shares: tuple[str, ...], revenue: tuple[int, ...], as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Show who would get what, to the last minor unit, before anybody signs."""
    lines = {share.party: share.ppm for share in parse_shares(shares)}
    if sum(lines.values()) != WHOLE:
        raise InvalidData("agreement.sum", field="--share", expected=WHOLE, actual=sum(lines.values()))
    bars(language, lines, revenue, as_json=as_json)


def _defaulted(terms: dict[str, Any]) -> tuple[str, ...]:
    """Return the members that were set from the clock because the person gave no value."""
    given = {"acceptBy": terms["accept_by"], "effectiveFrom": terms["start"]}
    return tuple(member for member, value in given.items() if value is None)


def _agreement(terms: dict[str, Any], supersedes: bytes, before: Agreement | None) -> Agreement:
    """Return the agreement that the options describe. What they leave out is taken from `before`.

    Raises `InvalidData` (`agreement.no_payer`, `agreement.no_shares`).
    """
    shares = parse_shares(terms["shares"]) if terms["shares"] else _fresh(before)
    works = tuple(sorted(from_hex(work, HASH_SIZE, "--work") for work in terms["works"]))
    if not works and before is not None:
        works = before.works
    if terms["payer"] is not None:
        payer = account_from_any_case(terms["payer"], "--payer")
    elif before is not None:
        payer = before.payer
    else:
        raise InvalidData("agreement.no_payer", field="--payer")
    end = terms["end"]
    if end is None:
        end = 0 if before is None else before.effectiveUntil
    terms_hash = NONE if before is None else before.termsHash
    if terms["terms"] is not None:
        terms_hash = new_hash_of(terms["terms"])
    parties = tuple(share.party for share in shares)
    leaving = () if before is None else tuple(account for account in before.parties if account not in parties)
    return Agreement(
        works=works,
        parties=parties,
        leaving=leaving,
        shares=shares,
        termsHash=terms_hash,
        payer=payer,
        acceptBy=times.now() + _ACCEPTED_WITHIN if terms["accept_by"] is None else terms["accept_by"],
        effectiveFrom=times.now() if terms["start"] is None else terms["start"],
        effectiveUntil=end,
        supersedes=supersedes,
        salt=secrets.token_bytes(HASH_SIZE),
    )


def _with_holders(signer: Signer, before: Agreement) -> Agreement:
    """Return an agreement with each account replaced by its holder: holders sign whatever follows."""
    holders = {account: _holder(signer, account) for account in {*before.parties, before.payer}}
    shares = [replace(share, party=holders[share.party]) for share in before.shares if isinstance(share, Share)]
    return replace(
        before,
        payer=holders[before.payer],
        parties=tuple(sorted(holders[party] for party in before.parties)),
        shares=tuple(sorted(shares, key=attrgetter("party"))),
    )


def _holder(signer: Signer, account: bytes) -> bytes:
    """Return the account that now acts for an account.

    Follow only rotations that both accounts have signed: otherwise the registry could name any account. Raises
    `InvalidData` (`rotation.too_many`) after `MAXIMUM_ROTATIONS`.
    """
    for _ in range(MAXIMUM_ROTATIONS):
        for found in islice(signer.client.statements(account=account, kind="Rotation"), MAXIMUM_ROTATIONS):
            rotation = found.statement
            if isinstance(rotation, Rotation) and rotation.from_ == account:
                signatures.check_complete(found.signatures, rotation.signers())
                for signature in found.signatures:
                    signatures.check(signature, found.digest)
                account = rotation.to
                break
        else:
            return account
    raise InvalidData("rotation.too_many", maximum=MAXIMUM_ROTATIONS)


def _fresh(before: Agreement | None) -> tuple[Share, ...]:
    """Return the shares of an agreement with new salts; raise `InvalidData` (`agreement.no_shares`) without one."""
    if before is None:
        raise InvalidData("agreement.no_shares", field="--share")
    return tuple(
        Share(party=share.party, role=share.role, ppm=share.ppm, salt=secrets.token_bytes(HASH_SIZE))
        for share in before.shares
        if isinstance(share, Share)
    )


def _read(signer: Signer, digest: bytes, *, of_any_kind: bool = False) -> Any:
    """Return the statement or draft with this digest, rebuilt from its members, so its digest is checked.

    Raises `InvalidData` (`statement.withheld`, `statement.newer_kind`, `agreement.unknown`).
    """
    statement = body(signer.client.find(digest))
    if not of_any_kind and not isinstance(statement, Agreement):
        raise InvalidData("agreement.unknown", agreement=to_hex(digest))
    return statement


def _is_known(signer: Signer, digest: bytes) -> bool:
    """Return whether the registry has a draft or statement with this digest that this account may see."""
    try:
        signer.client.find(digest)
    except InvalidData as error:
        if error.code == "statement.unknown":
            return False
        raise
    return True


def _warnings(signer: Signer, agreement: Agreement, terms: Path | None, *, received: bool = False) -> list[str]:
    """Return what a party should know before they sign.

    `terms`: the agreement's text, if they have named it; `received`: they got it from the proposer, and it was checked.
    """
    language = signer.options.language
    keys = ", ".join(to_checksum(account) for account in agreement.parties)
    # An amendment that is not proposed yet has the text of the agreement that it replaces.
    known = agreement.supersedes if terms is None and not received else signer.client.digest(agreement)
    told = {
        "digest": to_hex(known),
        "key": shlex.quote(signer.options.key_name),
        "url": shlex.quote(signer.client.url),
    }
    warnings = []
    if terms is not None:
        told |= {"path": str(terms), "salt": str(salt_file(terms))}
        warnings.append(text(language, "cli.terms.same" if received else "cli.agreement.terms_kept", told))
    elif agreement.termsHash != NONE:
        warnings.append(text(language, "cli.agreement.terms_unseen", told))
    return [
        *warnings,
        text(language, "cli.agreement.stays_good", {"time": agreement.acceptBy}),
        text(language, "cli.agreement.one_key", {"accounts": keys}),
    ]
