"""`deedlog audit`: derive a registry's whole log again from its entries, over HTTP, and compare. Anybody can run it."""

from __future__ import annotations

import codecs
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from deedlog.anchor.audit.audit import audit_log
from deedlog.anchor.rpc.contract_reader import NodeContract
from deedlog.anchor.tlog.note import MAXIMUM_NOTE
from deedlog.api.cli.common import PATH, Bars, pauses_said, request_seconds, say, show_error, show_json
from deedlog.api.cli.exit_codes import ExitCode, ending, exit_code_of
from deedlog.api.cli.outputs import Output
from deedlog.api.cli.trust.pinning import WHERE_TRUST_STARTS, registry_option, unpinned_hint
from deedlog.api.client.log_client import ServedLog
from deedlog.api.client.registry import Registry
from deedlog.api.texts import text
from deedlog.registry.errors import InvalidData, Refused, Unavailable
from deedlog.registry.files import read_file
from deedlog.registry.hexadecimal import to_checksum, to_hex

if TYPE_CHECKING:
    from pathlib import Path

    from deedlog.anchor.audit.audit import Report
    from deedlog.anchor.evm.identity import RegistryIdentity
    from deedlog.api.cli.trust.pinning import Pinned

_UNFIT = ("audit.checkpoint", "audit.bundle", "audit.tile_size", "audit.too_long", "audit.not_there")
"""What came is not of the form that a log serves. A proxy, a portal or a full disk of a mirror can do that."""

_CONTRADICTED = ("audit.forked", "audit.shrunk")
"""The checkpoint that is served and a kept one do not go together."""

_NO_PROOF = (*_UNFIT, "audit.shrunk")
"""Faults that say nothing against the registry, because no two signed heads contradict each other."""

DATED_BACK_SECONDS = 3600
"""An entry that is dated back by more is mentioned to people. A transaction seldom waits so long."""


@click.command()
@click.argument("url")
@registry_option(WHERE_TRUST_STARTS)
@click.option("--rpc", metavar="URL", help="Compare every head of the contract too, as this node has it.")
@click.option(
    "--checkpoint",
    "earlier",
    multiple=True,
    type=PATH,
    help="A checkpoint that you or somebody else kept: the log must still have it.",
)
@click.option(
    "--keep",
    metavar="FILE",
    type=PATH,
    help="Compare the checkpoint in this file too, if it is there; if all is in order, write the newest one to it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    url: str,
    registry: Pinned | None,
    rpc: str | None,
    earlier: tuple[Path, ...],
    keep: Path | None,
    as_json: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Derive the log of the registry at URL again from its entries, and compare everything that it serves.

    Exit code: 0 if all is in order, 1 if something is wrong (the first problem is named), 2 if it could not be checked,
    if what came is not what a log serves, or if --registry is not given.
    """
    language: str = ctx.obj
    pinned = None if registry is None else registry.address
    kept = [(str(path), as_served(read_file(path, MAXIMUM_NOTE, streams=True))) for path in earlier]
    state = None if keep is None else _State(keep, earlier)
    if state is not None and state.note is not None:
        kept.append((str(keep), as_served(state.note)))
    seconds = request_seconds()
    on_pause = pauses_said(language)
    log: ServedLog | None = None
    try:
        with ExitStack() as stack, ending(ExitCode.NO):
            registry_client = Registry(url, address=pinned, language=language, seconds=seconds, on_pause=on_pause)
            identity = stack.enter_context(registry_client).identity()
            contract = None
            if rpc is not None:
                contract = stack.enter_context(NodeContract(rpc, identity.address, seconds=seconds))
                identity.check_listed(contract.chain_id)
            log = stack.enter_context(ServedLog(url, seconds=seconds, on_pause=on_pause))
            report = audit_log(
                log,
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
    except InvalidData as error:
        _say_what_came(language, error, None if log is None else log.served)
        if error.code not in _NO_PROOF:
            raise
        show_error(language, error, as_json=as_json)
        ctx.exit(ExitCode.NOT_CHECKED)
    if state is not None and log.served is not None:
        state.replace(log.served)
    shown = result(identity, report) | {"pinned": pinned is not None}
    if contract is not None:
        shown["contract"]["chain_id"] = contract.chain_id
    if as_json:
        show_json(shown)
    else:
        print_log(language, identity, report)
        _print_whose_word(language, registry, identity.address, registry_client.url)
    # Without an address from a trusted source, this is a sound log of nobody knows which registry.
    ctx.exit(ExitCode.DONE if pinned else ExitCode.NOT_CHECKED)


def _print_whose_word(language: str, pinned: Pinned | None, address: bytes, url: str) -> None:
    if pinned is not None:
        say(language, "cli.audit.pinned", registry=pinned.shown)
        return
    say(language, "cli.audit.unpinned", registry=to_checksum(address), url=url)
    click.echo(unpinned_hint(language, address))


class _State:
    """The file with the checkpoint of the last audit, which the next one compares and replaces (`--keep`)."""

    def __init__(self, path: Path, inputs: tuple[Path, ...]) -> None:
        """Read it, if it is there, into `note`. Raises as `Output.check` and `read_file` do."""
        self._target = Output(path, inputs, lasting=True)
        self.note = read_file(path, MAXIMUM_NOTE) if path.exists() else None
        self._target.check(replaces=self._is_as_read)

    def replace(self, note: bytes) -> None:
        """Write the newest checkpoint, if the file is still what was compared. Raises as `Output.write` does."""
        self._target.write(note, replaces=self._is_as_read)

    def _is_as_read(self, there: bytes) -> bool:
        return there == self.note


def _say_what_came(language: str, error: InvalidData, served: bytes | None) -> None:
    """Print what a person needs beside the error itself."""
    if error.code in _UNFIT:
        click.echo(text(language, "cli.audit.unfit"), err=True)
    if error.code in _CONTRADICTED and served is not None:
        # With the kept checkpoint it is what they must show, and tomorrow the registry may serve another.
        click.echo(text(language, "cli.audit.served"), err=True)
        click.echo(served.decode("utf-8", "replace"), err=True, nl=False)


def as_served(kept: bytes) -> bytes:
    """Return a kept checkpoint as it was served: without what editors and systems do to the ends of lines.

    They add a byte order mark, write CRLF, or leave out the last line's end. What a log serves is never changed.
    """
    note = kept.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
    return note if note.endswith(b"\n") else note + b"\n"


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
