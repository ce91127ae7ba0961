"""`deedlog audit`: derive a registry's whole log again from its entries, over HTTP, and compare. Anybody can run it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from deedlog.anchor.audit.audit import audit_log
from deedlog.anchor.rpc.contract_reader import NodeContract
from deedlog.anchor.tlog.note import MAXIMUM_NOTE
from deedlog.api.cli.common import PATH, Bars, pauses_said, request_seconds, say, show_error, show_json
from deedlog.api.cli.exit_codes import ExitCode, ending, exit_code_of
from deedlog.api.client.log_client import ServedLog
from deedlog.api.client.registry import Registry
from deedlog.registry.errors import Refused, Unavailable
from deedlog.registry.files import read_file
from deedlog.registry.hexadecimal import account_from_any_case, to_checksum, to_hex

if TYPE_CHECKING:
    from pathlib import Path

    from deedlog.anchor.audit.audit import Report
    from deedlog.anchor.evm.identity import RegistryIdentity

DATED_BACK_SECONDS = 3600
"""An entry that is dated back by more is mentioned to people. A transaction seldom waits so long."""


@click.command()
@click.argument("url")
@click.option("--registry", help="The registry's address (0x…): where trust starts. Get it from a place you trust.")
@click.option("--rpc", metavar="URL", help="Compare every head of the contract too, as this node has it.")
@click.option(
    "--checkpoint",
    "earlier",
    multiple=True,
    type=PATH,
    help="A checkpoint that you or somebody else kept: the log must still have it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    url: str,
    registry: str | None,
    rpc: str | None,
    earlier: tuple[Path, ...],
    as_json: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Derive the log of the registry at URL again from its entries, and compare everything that it serves.

    Exit code: 0 if all is in order, 1 if something is wrong (the first problem is named), 2 if it could not be checked
    or --registry is not given.
    """
    language: str = ctx.obj
    pinned = None if registry is None else account_from_any_case(registry, "--registry")
    kept = [(str(path), read_file(path, MAXIMUM_NOTE, streams=True)) for path in earlier]
    seconds = request_seconds()
    on_pause = pauses_said(language)
    try:
        with ExitStack() as stack, ending(ExitCode.NO):
            registry_client = Registry(url, address=pinned, language=language, seconds=seconds, on_pause=on_pause)
            identity = stack.enter_context(registry_client).identity()
            contract = None
            if rpc is not None:
                contract = stack.enter_context(NodeContract(rpc, identity.address, seconds=seconds))
                identity.check_listed(contract.chain_id)
            report = audit_log(
                stack.enter_context(ServedLog(url, seconds=seconds, on_pause=on_pause)),
                identity.verifier_key,
                earlier=kept,
                contract=contract,
                progress=stack.enter_context(Bars(language)),
            )
    except (Unavailable, Refused) as error:
        if exit_code_of(error) is ExitCode.USAGE:
            raise
        show_error(language, error, as_json=as_json)
        ctx.exit(ExitCode.NOT_CHECKED)
    shown = result(identity, report) | {"pinned": pinned is not None}
    if contract is not None:
        shown["contract"]["chain_id"] = contract.chain_id
    if as_json:
        show_json(shown)
    else:
        print_log(language, identity, report)
        say(language, "cli.audit.pinned" if pinned else "cli.audit.unpinned", registry=to_checksum(identity.address))
    # Without an address from a trusted source, this is a sound log of nobody knows which registry.
    ctx.exit(ExitCode.DONE if pinned else ExitCode.NOT_CHECKED)


def result(identity: RegistryIdentity, report: Report) -> dict[str, Any]:
    """Return the audit's result for programs."""
    head, history = report.checkpoint, report.history
    return {
        "registry": to_checksum(identity.address),
        "origin": head.origin,
        "size": head.size,
        "root": to_hex(head.root),
        "signatures": report.signatures,
        "checkpoints": report.earlier,
        "contract": {
            "checked": history is not None,
            "heads": report.heads,
            "dated_back": None if history is None else history.dated_back,
        },
    }


def print_log(language: str, identity: RegistryIdentity, report: Report) -> None:
    """Print the audit's result."""
    head = report.checkpoint
    say(
        language,
        "cli.audit.done",
        origin=identity.origin,
        size=head.size,
        signatures=report.signatures,
        root=to_hex(head.root),
        checkpoints=report.earlier,
    )
    if report.history is None:
        say(language, "cli.audit.no_contract")
        return
    say(language, "cli.audit.contract", heads=report.history.heads)
    if report.history.dated_back > DATED_BACK_SECONDS:
        say(language, "cli.audit.dated_back", seconds=report.history.dated_back)
