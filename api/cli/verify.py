"""`deedlog verify`: turn a bundle, a file and the user's pins into a verdict, without any registry."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from deedlog.anchor.contract import contracts
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.evidence.evm_slot import blocks_to_ask
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer, parse_require
from deedlog.api.cli.common import PATH, digest_with_bar, request_seconds, say, show_json
from deedlog.api.cli.outputs import Output, force_option
from deedlog.api.cli.trust.pinning import WHERE_TRUST_STARTS, registry_option, unpinned_hint
from deedlog.api.texts import verdict_text
from deedlog.registry.files import PRIVATE, read_file
from deedlog.registry.hexadecimal import HASH_SIZE, account_from_any_case, from_hex

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deedlog.anchor.verify.bundle import Bundle
    from deedlog.anchor.verify.verdict import Verdict
    from deedlog.api.cli.trust.pinning import Pinned

_COLOURS = {Answer.YES: "green", Answer.NO: "red", Answer.NOT_CHECKED: "yellow"}


@click.command()
@click.argument("bundle", type=PATH)
@click.argument("file", type=PATH, required=False)
@registry_option(WHERE_TRUST_STARTS)
@click.option(
    "--block-hash", multiple=True, help="A block's hash (0x…): your word that the block is final; repeatable."
)
@click.option("--rpc", multiple=True, metavar="URL", help="Ask this node whether the anchor's block is canonical.")
@click.option("--rendition", type=PATH, help="Bundle of the rendition that FILE is.")
@click.option("--with", "beside", type=PATH, multiple=True, help="Bundle that bears on it.")
@click.option("--maker", multiple=True, help="An account (0x…) whose word on renditions you accept.")
@click.option("--require", help="Answers that must be yes, comma-separated.")
@click.option("--report", type=PATH, help="Write the verdict as one static page; - is standard output.")
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    bundle: Path,
    file: Path | None,
    registry: Pinned | None,
    block_hash: tuple[str, ...],
    rpc: tuple[str, ...],
    rendition: Path | None,
    beside: tuple[Path, ...],
    maker: tuple[str, ...],
    require: str | None,
    report: Path | None,
    force: bool,  # noqa: FBT001 - click's flag
    as_json: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Check BUNDLE, and that FILE is what was signed.

    Exit code: 1 if any answer is no, 2 if a required one is not checked, 0 if neither. From 64 on there is no verdict.
    """
    language: str = ctx.obj
    required = parse_require(require, file_given=file is not None)
    pins = Pins(
        registry=None if registry is None else registry.address,
        block_hashes=tuple(from_hex(given.lower(), HASH_SIZE, "--block-hash") for given in block_hash),
        makers=tuple(account_from_any_case(account, "--maker") for account in maker),
    )
    page = None if report is None else Output(report, (bundle, file, rendition, *beside), force=force)
    if page is not None:
        ctx.with_resource(page.alone(language, as_json=as_json))
        page.check(replaces=_report_of(None))  # before the file is hashed and nodes are asked; writing checks again
    parsed = _read(bundle)
    digest = None if file is None else digest_with_bar(language, file)
    if rpc:
        from deedlog.anchor.rpc.contract_reader import ask  # noqa: PLC0415 - only `--rpc` needs a network

        numbers = [number for _, number in blocks_to_ask(parsed.anchors)]
        pins = replace(pins, nodes=tuple(ask(url, numbers, request_seconds()) for url in rpc))
    verdict = verify(parsed, pins, digest, None if rendition is None else _read(rendition))
    if beside:
        from deedlog.anchor.verify.with_others import with_others  # noqa: PLC0415 - only `--with` needs the rules

        verdict = with_others(verdict, parsed, pins, [_read(path) for path in beside])
    code = verdict.exit_code(required)
    if page is not None:
        _write_report(page, verdict, language, bundle, file, pins, registry)
    if as_json:
        show_json({**verdict.to_json(), "required": list(required), "exit_code": code})
    else:
        _print(verdict, language, required, code, registry)
    ctx.exit(code)


def _read(path: Path) -> Bundle:
    return bundles.parse(read_file(path, bundles.MAXIMUM_BUNDLE, streams=True), contracts())


def _print(verdict: Verdict, language: str, required: tuple[str, ...], code: int, registry: Pinned | None) -> None:
    click.echo(verdict_text.heading(verdict, language))
    for name, value in verdict_text.members(verdict.statement, language):
        click.echo(f"  {name}: {value}")
    for note in verdict_text.notes(verdict, language):
        click.echo(note)
    if registry is None:
        click.echo(unpinned_hint(language, verdict.registry))
    elif registry.name is not None:
        say(language, "cli.trust.given", name=registry.name)
    click.echo()
    for line in verdict_text.lines(verdict, language):
        mark = "*" if line.question in required else " "
        answer = click.style(line.answer_text, fg=_COLOURS[line.answer], bold=True)
        click.echo(f"{mark} {line.label}: {answer}. {line.reason}{f' [{line.trust}]' if line.trust else ''}")
    click.echo()
    for anchor in verdict_text.anchors(verdict, language):
        click.echo(anchor.label)
        for line in anchor.lines:
            answer = click.style(line.answer_text, fg=_COLOURS[line.answer], bold=True)
            click.echo(f"    {line.label}: {answer}. {line.reason}{f' [{line.trust}]' if line.trust else ''}")
        click.echo()
    say(language, f"verdict.exit_{code}")


def _write_report(
    page: Output,
    verdict: Verdict,
    language: str,
    bundle: Path,
    file: Path | None,
    pins: Pins,
    registry: Pinned | None,
) -> None:
    from deedlog.api.web.verdict_page import report  # noqa: PLC0415 - only `--report` needs it

    sources = {"bundle": str(bundle)}
    if file is not None:
        sources["file"] = str(file)
    if registry is not None:
        sources["--registry"] = registry.shown
    if pins.block_hashes:
        sources["--block-hash"] = ", ".join("0x" + block_hash.hex() for block_hash in pins.block_hashes)
    sources |= {f"--rpc {number}": node.url for number, node in enumerate(pins.nodes, 1)}
    data = report(verdict, language, sources).encode("utf-8", "backslashreplace")
    # The page shows what the bundle shows: if that is for its owner alone, so is the page.
    private = verdict.statement.PRIVATE or _is_private(bundle)
    page.write(data, replaces=_report_of(verdict.digest), mode=PRIVATE if private else None)


def _report_of(digest: bytes | None) -> Callable[[bytes], bool]:
    """Return what recognises a page that may be replaced: an earlier report on that statement (None: on any)."""
    from deedlog.api.web.verdict_page import reported  # noqa: PLC0415 - only `--report` needs it

    def recognises(data: bytes) -> bool:
        there = reported(data)
        return there is not None and digest in (None, there)

    return recognises


def _is_private(path: Path) -> bool:
    """Return whether a file is readable by its owner alone, or is no file: what a pipe brings may be private."""
    try:
        there = path.stat()
    except OSError:
        return False
    return not stat.S_ISREG(there.st_mode) or not there.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
