"""`deedlog register`: hash a file, sign a `Work`, keep it, send it. The file itself is never sent."""

from __future__ import annotations

import mimetypes
import secrets
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli import kept
from api.cli.client import Client
from api.cli.common import (
    DEFAULT_URL,
    digest_with_bar,
    key_path,
    passphrase,
    say,
    show_json,
)
from api.texts import text
from registry import keystore, signatures
from registry.eip712 import domain_separator
from registry.errors import InvalidData, Unavailable
from registry.hexadecimal import HASH_SIZE, account_from_any_case, to_checksum, to_hex
from registry.statements import Work
from registry.typed_data import typed_data

if TYPE_CHECKING:
    from registry.digest import FileDigest


@click.command()
@click.argument("video", type=click.Path(path_type=Path))
@click.option("--title", required=True, help="The work's title, 1 to 200 characters.")
@click.option("--credited-as", required=True, help="The name you want to be credited as.")
@click.option("--basis", default="own", show_default=True, help="own, employment or commission.")
@click.option("--ai-use", default="none", show_default=True, help="none, assisted or generated: your own declaration.")
@click.option("--media-type", help="Default: from the file's name.")
@click.option("--made-at", type=int, help="Unix time at which you say it was made; default: now.")
@click.option("--key", "key_name", default="default", show_default=True, help="A key's name, or its file's path.")
@click.option("--passphrase-file", type=click.Path(path_type=Path), help="Read the key's passphrase from this file.")
@click.option("--url", envvar="DEEDLOG_URL", default=DEFAULT_URL, show_default=True, help="The registry's URL.")
@click.option("--registry", help="Sign only for the registry at this address (0x…).")
@click.option("--yes", is_flag=True, help="Do not ask before signing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(
    language: str,
    video: Path,
    title: str,
    credited_as: str,
    basis: str,
    ai_use: str,
    media_type: str | None,
    made_at: int | None,
    key_name: str,
    passphrase_file: Path | None,
    url: str,
    registry: str | None,
    yes: bool,  # noqa: FBT001 - click's flag
    as_json: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Claim authorship of VIDEO: hash it here, sign, register. The file never leaves this machine."""
    file = digest_with_bar(language, video)
    if not file.content_length:
        raise InvalidData("file.empty", path=str(video))
    pinned = None if registry is None else account_from_any_case(registry, "registry")
    key_file = key_path(key_name)
    account = keystore.account(key_file)
    with Client(url, language) as client:
        identity = client.identity(pinned)
        path = kept.place(identity.address, account, file.content_hash)
        if kept.is_there(path):
            # Signed before: the same statement is sent again, so that a retry never makes a second one.
            body, digest = kept.read(path, identity.address)
            if not as_json:
                say(language, "cli.register.signed_before", path=str(path))
        else:
            work = _work(file, account, title, credited_as, basis, ai_use, media_type or _guess(video), made_at)
            if not as_json:
                _explain(language, work, identity.address)
            if not yes and not as_json:
                click.confirm(text(language, "cli.register.sign"), abort=True, default=True)
            key = keystore.read(key_file, passphrase(language, passphrase_file))
            digest = work.digest(domain_separator(identity.address))
            signature = signatures.sign(digest, key)
            body = {
                "typed_data": typed_data(work, identity.address),
                "signatures": [{"account": to_checksum(signature.account), "signature": to_hex(signature.signature)}],
            }
            kept.write(path, body)
        try:
            answer = client.register(body, digest)
        except InvalidData:
            # Refused as it is: sent again it would be refused again. Kept, but out of the way of another try.
            refused = kept.put_aside(path)
            if not as_json:
                click.echo(text(language, "cli.register.refused", {"path": str(refused)}), err=True)
            raise
        except Unavailable as error:
            # Perhaps it arrived, perhaps not: the same statement sent again is answered with what is kept there.
            error.params["kept"] = str(path)
            click.echo(text(language, "cli.register.kept", {"path": str(path)}), err=True)
            raise
    shown = {**answer, "registry": to_checksum(identity.address), "kept": str(path)}
    if as_json:
        show_json(shown)
    else:
        say(language, f"cli.register.{answer['outcome']}", digest=answer["digest"], registry=shown["registry"])
        say(
            language,
            "cli.register.next",
            digest=answer["digest"],
            registry=shown["registry"],
            video=shlex.quote(str(video)),
            url=shlex.quote(url),
        )


def _work(
    file: FileDigest,
    account: bytes,
    title: str,
    credited_as: str,
    basis: str,
    ai_use: str,
    media_type: str,
    made_at: int | None,
) -> Work:
    work = Work(
        title=title,
        creditedAs=credited_as,
        creators=(account,),
        basis=basis,
        aiUse=ai_use,
        contentHash=file.content_hash,
        contentLength=file.content_length,
        mediaType=media_type,
        madeAt=int(time.time()) if made_at is None else made_at,
        salt=secrets.token_bytes(HASH_SIZE),
    )
    work.STRUCT.accept(work)
    return work


def _explain(language: str, work: Work, registry: bytes) -> None:
    message: dict[str, Any] = work.message()
    say(language, "cli.register.about_to_sign", registry=to_checksum(registry))
    for name, value in message.items():
        click.echo(f"  {name}: {', '.join(value) if isinstance(value, list) else value}")
    say(language, "cli.register.for_ever")


def _guess(video: Path) -> str:
    return mimetypes.guess_type(video.name)[0] or "application/octet-stream"
