"""`deedlog register`: hash a file, sign a `Work`, store the signed statement, send it. The file is never sent."""

from __future__ import annotations

import hashlib
import mimetypes
import secrets
import shlex
from typing import TYPE_CHECKING

import click

from deedlog.api.cli.common import PATH, digest_with_bar, say
from deedlog.api.cli.exit_codes import ExitCode, ending
from deedlog.api.cli.signing import MOMENT, Signer, signer_options
from deedlog.api.cli.trust.pinning import printed
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import HASH_SIZE, account_from_any_case
from deedlog.registry.statements import Work
from deedlog.registry.statements.vocabulary import UNSAID

if TYPE_CHECKING:
    from pathlib import Path

    from deedlog.api.cli.signing import Options


@click.command()
@click.argument("video", type=PATH)
@click.option("--title", required=True, help="The work's title, 1 to 200 characters.")
@click.option("--credited-as", required=True, help="The name you want to be credited as.")
@click.option(
    "--creator", "others", multiple=True, metavar="0x…", help="Who made it with you and signs too; repeatable."
)
@click.option("--basis", default="own", show_default=True, help="own, employment or commission.")
@click.option("--ai-use", default="none", show_default=True, help="none, assisted or generated: your own declaration.")
@click.option("--media-type", help="Default: from the file's name.")
@click.option("--made-at", type=MOMENT, help="When you say it was made; default: you do not say.")
@signer_options
def command(
    options: Options,
    video: Path,
    title: str,
    credited_as: str,
    others: tuple[str, ...],
    basis: str,
    ai_use: str,
    media_type: str | None,
    made_at: int | None,
) -> None:
    """Claim authorship of VIDEO: hash it here, sign, register. The file never leaves this machine.

    Exit code 3: you claimed this file before in other words. That claim stands, and nothing was registered.
    """
    file = digest_with_bar(options.language, video)
    if not file.content_length:
        raise InvalidData("file.empty", path=str(video))
    with Signer(options, "cli.register") as signer:
        creators = {signer.account, *(account_from_any_case(other, "--creator") for other in others)}
        with ending(ExitCode.USAGE):
            work = Work(
                title=title,
                creditedAs=credited_as,
                creators=tuple(sorted(creators)),
                basis=basis,
                aiUse=ai_use,
                contentHash=file.content_hash,
                contentLength=file.content_length,
                mediaType=media_type or mimetypes.guess_type(video.name)[0] or "application/octet-stream",
                madeAt=UNSAID if made_at is None else made_at,
                salt=secrets.token_bytes(HASH_SIZE),
            )
        # One claim for each file and the same creators, however it is worded: one that was signed before stands.
        same = file.content_hash
        if len(creators) > 1:
            same = hashlib.sha256(b"".join((same, *work.creators))).digest()
        given = {"mediaType": media_type, "madeAt": made_at}
        answer = signer.send(work, same=same, defaulted=tuple(name for name in given if given[name] is None))
    if not options.as_json and not answer.get("missing"):
        names = printed(options.language, options.registry, signer.registry)
        say(
            options.language,
            "cli.register.next",
            digest=answer["digest"],
            option=names.option,
            registry=names.registry,
            video=shlex.quote(str(video)),
            url=shlex.quote(options.url),
        )
        for hint in names.hints:
            click.echo(hint)
