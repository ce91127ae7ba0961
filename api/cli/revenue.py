"""`deedlog report` and `deedlog payout`: report what a work earned, and compute each party's part."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from deedlog.anchor.contract import contracts
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.payout_check import own_payouts
from deedlog.api.cli.common import PATH, say, show_json
from deedlog.api.cli.exit_codes import ExitCode, ending
from deedlog.api.cli.signing import MOMENT, Signer, signer_options
from deedlog.api.cli.trust.pinning import WHERE_TRUST_STARTS, registry_option, unpinned_hint
from deedlog.api.texts import text
from deedlog.registry.files import read_file
from deedlog.registry.hexadecimal import HASH_SIZE, account_from_any_case, from_hex, to_checksum, to_hex
from deedlog.registry.statements import RevenueReport
from deedlog.registry.statements.vocabulary import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deedlog.anchor.verify.payout_check import OwnPayouts
    from deedlog.api.cli.signing import Options
    from deedlog.api.cli.trust.pinning import Pinned


@click.command("report")
@click.argument("work")
@click.option("--start", type=MOMENT, required=True, help="The period's first second.")
@click.option("--end", type=MOMENT, required=True, help="The second after the period's last.")
@click.option("--currency", required=True, help="ISO 4217, as in CNY.")
@click.option("--amount", type=int, required=True, help="Minor units (fen, cents) before tax; refunds are negative.")
@click.option("--basis", default="gross", show_default=True, help="gross or net.")
@click.option("--corrects", help="The report (0x…) that this one is instead of.")
@signer_options
def report(
    options: Options,
    work: str,
    start: int,
    end: int,
    currency: str,
    amount: int,
    basis: str,
    corrects: str | None,
) -> None:
    """Report, as the payer of an agreement, what WORK (0x…) earned in a period."""
    with Signer(options) as signer:
        with ending(ExitCode.USAGE):
            revenue = RevenueReport(
                work=from_hex(work, HASH_SIZE, "WORK"),
                periodStart=start,
                periodEnd=end,
                currency=currency,
                amount=amount,
                basis=basis,
                corrects=NONE if corrects is None else from_hex(corrects, HASH_SIZE, "--corrects"),
                payer=signer.account,
                salt=secrets.token_bytes(HASH_SIZE),
            )
        signer.send(revenue)


@click.group()
def payout() -> None:
    """Show what each party of an agreement gets, to the last minor unit."""


@payout.command("show")
@click.argument("digest")
@signer_options
def show_command(options: Options, digest: str) -> None:
    """Show the payouts that the registry computes for DIGEST, an agreement that you are a party of."""
    with Signer(options) as signer:
        signer.client.sign_in()
        found = signer.client.payouts(from_hex(digest, HASH_SIZE, "DIGEST"))
        if options.as_json:
            show_json(found.to_json())
            return
        for report in found.reports:
            params: dict[str, str | int] = {
                "amount": report.amount,
                "currency": found.currency or "",
                "carried": report.carried,
            }
            click.echo(text(options.language, "cli.payout.report", {**params, "digest": to_hex(report.digest)}))
            _show_amounts(report.paid)
        say(options.language, "cli.payout.closing", carried=found.carried)
        _show_amounts(found.closing)


def _show_amounts(amounts: Mapping[bytes, int]) -> None:
    for account, amount in amounts.items():
        click.echo(f"  {to_checksum(account)}  {amount}")


@payout.command("check")
@click.argument("agreement", type=PATH)
@click.argument("reports", type=PATH, nargs=-1, required=True)
@click.option("--account", help="Whose line (0x…); default: the only one that the agreement's bundle shows.")
@registry_option(WHERE_TRUST_STARTS)
@click.option("--block-hash", multiple=True, help="A block's hash (0x…): your word that it is final; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def check(
    ctx: click.Context,
    agreement: Path,
    reports: tuple[Path, ...],
    account: str | None,
    registry: Pinned | None,
    block_hash: tuple[str, ...],
    as_json: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Recompute your payouts offline, from the bundles of the AGREEMENT, with your own share open, and of its REPORTS.

    If the payer's account was rotated, give the bundle of the rotation with the reports.

    Exit code: 0 if all is in order, 1 if a bundle or a report does not hold, 2 if --registry is not given.
    """
    language: str = ctx.obj
    whose = None if account is None else account_from_any_case(account, "--account")
    pinned = None if registry is None else registry.address
    blocks = [from_hex(value.lower(), HASH_SIZE, "--block-hash") for value in block_hash]
    whole, *others = (
        bundles.parse(read_file(path, bundles.MAXIMUM_BUNDLE, streams=True), contracts())
        for path in (agreement, *reports)
    )
    with ending(ExitCode.NO):
        own = own_payouts(whole, others, whose, pinned, blocks)
    shown = {
        "account": to_checksum(own.account),
        "ppm": own.ppm,
        "currency": own.currency,
        "reports": [
            {"digest": to_hex(change.report), "change": str(change.amount), "paid": str(paid)}
            for change, paid in zip(own.changes, own.paid, strict=True)
        ],
        "to_date": str(sum(own.paid)),
        "registry_pinned": own.registry_pinned,
    }
    if as_json:
        show_json(shown)
    else:
        _show_own(language, own, registry, whole.registry.address)
    # Without an address from a trusted source, these are sound bundles of nobody knows which registry.
    ctx.exit(ExitCode.DONE if own.registry_pinned else ExitCode.NOT_CHECKED)


def _show_own(language: str, own: OwnPayouts, pinned: Pinned | None, address: bytes) -> None:
    say(language, "cli.payout.line", account=to_checksum(own.account), ppm=f"{own.ppm:,}")
    for change, paid in zip(own.changes, own.paid, strict=True):
        params = {"digest": to_hex(change.report), "change": f"{change.amount:,}", "paid": f"{paid:,}"}
        click.echo(text(language, "cli.payout.own", {**params, "currency": own.currency}))
    say(language, "cli.payout.to_date", amount=f"{sum(own.paid):,}", currency=own.currency)
    if pinned is not None:
        say(language, "cli.payout.pinned", registry=pinned.shown)
    else:
        say(language, "cli.payout.unpinned", registry=to_checksum(address))
        click.echo(unpinned_hint(language, address))
