"""`deedlog prove`: fetch the bundle of a statement, check it, and save it as one file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.state_proof import parse_header
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.disclosure import open_line
from deedlog.anchor.verify.evidence.evm_slot import slots
from deedlog.anchor.verify.replacement import check_replacement, check_same_statement
from deedlog.api.cli.common import DEFAULT_URL, PATH, pauses_said, request_seconds, say, show_json
from deedlog.api.cli.outputs import Output, force_option
from deedlog.api.cli.signing import open_key
from deedlog.api.cli.trust.pinning import named, printed, registry_option, url_of
from deedlog.api.client.home import key_path
from deedlog.api.client.registry import Registry
from deedlog.api.texts import text
from deedlog.registry.errors import InvalidData
from deedlog.registry.files import PRIVATE
from deedlog.registry.hexadecimal import HASH_SIZE, account_from_any_case, from_hex, to_checksum, to_hex
from deedlog.registry.statements.signatures import account_of_private_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deedlog.anchor.verify.bundle import Bundle
    from deedlog.api.cli.trust.pinning import Pinned

_LOG_SECONDS = 30.0
"""How long to wait until a statement is logged if it was registered just now. A registry logs once a second."""


@click.command()
@click.argument("digest")
@click.option("-o", "--output", type=PATH, required=True, help="The bundle's file, NAME.deed, or -.")
@force_option
@click.option("--wait", is_flag=True, help="Wait until the statement is anchored.")
@click.option("--open", "line", metavar="mine|0x…", help="Of an agreement, show this party's line and hide the others.")
@click.option("--key", "key_name", help="Sign in with this key, for what is not public: a name, or a file's path.")
@click.option("--passphrase-file", type=PATH, help="Read the key's passphrase from it.")
@click.option("--url", envvar="DEEDLOG_URL", default=DEFAULT_URL, show_default=True, help="The registry's URL.")
@registry_option("Accept only the registry at this address, or with this name in deedlog trust.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(
    language: str,
    digest: str,
    output: Path,
    force: bool,  # noqa: FBT001 - click's flag
    wait: bool,  # noqa: FBT001 - click's flag
    line: str | None,
    key_name: str | None,
    passphrase_file: Path | None,
    url: str,
    registry: Pinned | None,
    as_json: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Fetch the bundle that proves the statement DIGEST (0x…).

    A statement that is not public needs --key. With --open the bundle shows one share of an agreement and hides the
    others; every signature is still valid.
    """
    wanted = from_hex(digest, HASH_SIZE, "DIGEST")
    key_file = None if key_name is None and line != "mine" else key_path(key_name or "default")
    target = Output(output, (key_file, passphrase_file), force=force)
    click.get_current_context().with_resource(target.alone(language, as_json=as_json))
    key = None if key_file is None else open_key(language, key_file, passphrase_file)
    # Before the long wait; writing checks again.
    target.check(replaces=_bundle_that(partial(check_same_statement, digest=wanted, path=str(output))))
    with Registry(
        url_of(registry, url),
        address=None if registry is None else registry.address,
        key=key,
        language=language,
        seconds=request_seconds(),
        on_pause=pauses_said(language),
    ) as client:
        if wait:
            _wait(client, wanted, language, quiet=as_json)
        else:
            client.wait(wanted, "logged", seconds=_LOG_SECONDS)
        if key is not None:  # sign in after waiting: a session is short, and the anchor may take longer
            client.sign_in()
        proof = client.prove(wanted)
    bundle, verdict, data = proof.bundle, proof.verdict, proof.data
    if line is not None:
        whose = account_of_private_key(key) if key and line == "mine" else account_from_any_case(line, "--open")
        bundle = open_line(bundle, whose)
        data = bundle.format()
    anchored = slots(bundle.anchors)
    header = parse_header(anchored[0].header) if anchored else None
    shown: dict[str, str | int] = {
        "path": str(output),
        "registry": to_checksum(verdict.registry),
        "block_hash": to_hex(header.hash) if header is not None else "",
        "chain_id": anchored[0].chain_id if anchored else 0,
        "digest": to_hex(wanted),
    }
    # All that could refuse the bundle is above. What needed a key, or shows one party's line, is for its owner alone.
    private = key is not None or line is not None or verdict.statement.PRIVATE
    older = _bundle_that(partial(check_replacement, new=bundle, path=str(output)))
    mode = PRIVATE if private else None
    unchanged = target.holds(data, mode=mode)
    if not unchanged:
        target.write(data, replaces=older, mode=mode)
    if as_json:
        show_json({**shown, "changed": not unchanged, "registry_pinned": registry is not None})
        return
    names = printed(language, registry, verdict.registry)
    shown |= {"registry": named(verdict.registry, names.name), "given": names.registry}
    shown["number"] = 0 if header is None else header.number
    if registry is None and names.name is None:
        say(language, "cli.prove.unpinned", registry=to_checksum(verdict.registry), url=client.url)
    if unchanged:
        say(language, "cli.prove.unchanged" if anchored else "cli.prove.unchanged_unanchored", **shown)
        return
    video = "" if verdict.statement.content() is None else text(language, "cli.prove.video")
    say(language, "cli.prove.written" if anchored else "cli.prove.written_unanchored", video=video, **shown)
    for hint in names.hints if anchored else ():
        click.echo(hint)


def _wait(client: Registry, digest: bytes, language: str, *, quiet: bool) -> None:
    """Return once a statement is anchored; unless `quiet`, print a dot for each poll."""
    if quiet:
        client.wait(digest, "anchored")
        return
    say(language, "cli.prove.waiting")
    client.wait(digest, "anchored", told=lambda _state: click.echo(".", nl=False, err=True))
    click.echo(err=True)


def _bundle_that(check: Callable[[Bundle], None]) -> Callable[[bytes], bool]:
    """Return what recognises a file that may be replaced: a bundle that passes `check`, which raises `prove.…`."""

    def recognises(data: bytes) -> bool:
        try:
            check(bundles.parse(data, contracts()))
        except InvalidData as error:
            if error.code.startswith("prove."):
                raise
            return False  # not a bundle, or one that this version cannot read
        return True

    return recognises
