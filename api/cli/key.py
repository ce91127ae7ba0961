"""`deedlog key`: a creator's key, in an encrypted file, and never without a backup."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deedlog.api.cli.common import PATH, passphrase, say, show_json
from deedlog.api.cli.key_files import change_passphrase, check, list_keys, restore, tried
from deedlog.api.cli.outputs import Output
from deedlog.api.cli.signing import Signer, signer_options
from deedlog.api.client.home import key_folder, key_path
from deedlog.api.texts import text
from deedlog.registry import files, keystore, times
from deedlog.registry.errors import DeedlogError, Unavailable
from deedlog.registry.hexadecimal import HASH_SIZE, to_checksum
from deedlog.registry.statements import Rotation
from deedlog.registry.statements.signatures import account_of_private_key

if TYPE_CHECKING:
    from deedlog.api.cli.signing import Options


@click.group()
def command() -> None:
    """Make, show, check and restore the key that signs for you."""


for _command in (list_keys, check, restore, change_passphrase):
    command.add_command(_command)


@command.command()
@click.option("--name", default="default", show_default=True, help="A name, or the path of the key file.")
@click.option("--backup", help="Where to put the second copy (another disk, a stick): a folder, or a new file.")
@click.option("--passphrase-file", type=PATH, help="Read the passphrase from this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def new(language: str, name: str, backup: str | None, passphrase_file: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Make a key, encrypted, and its backup.

    If you lose the key, you can no longer sign as this account, and nobody can restore it. So a backup is required.
    """
    path = key_path(name)
    ours = path.parent == key_folder()  # a missing folder is made if it is ours, and else is an error
    kept = Output(path, (passphrase_file,), lasting=True)
    if not ours or path.parent.exists():
        kept.check()
    if backup is None:
        say(language, "cli.key.backup_needed")
        backup = click.prompt(text(language, "cli.key.backup_where"))
    place = _backup_place(backup, path)
    copy = Output(place, (passphrase_file,), lasting=True)
    copy.check()
    if place.resolve() == path.resolve():
        raise Unavailable("file.exists", path=str(place))
    secret = passphrase(language, passphrase_file, new=True)
    key = keystore.new_key()
    account = account_of_private_key(key)
    sealed = keystore.seal(path, key, secret)
    copy.write(sealed, mode=files.PRIVATE)
    try:
        # Test the backup by opening it, before the key is used for anything.
        tried(keystore.read(place, secret))
        if ours:
            files.make_folder(path.parent, private=True)
        kept.write(sealed, mode=files.PRIVATE)
    except DeedlogError:
        place.unlink(missing_ok=True)
        raise
    same_disk = place.stat().st_dev == path.stat().st_dev
    shown = {"account": to_checksum(account), "path": str(path), "backup": str(place)}
    if as_json:
        show_json({**shown, "same_disk": same_disk})
        return
    say(language, "cli.key.made", **shown)
    if same_disk:
        say(language, "cli.key.same_disk", backup=str(place))


def _backup_place(given: str, key: Path) -> Path:
    """Return the path of a backup, from what was typed: a new file, or the key's name in a folder.

    Raises `Unavailable` (`file.no_folder`) for a folder that is missing: a stick that is not mounted.
    """
    path = files.expanded(Path(given))
    if os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir, False for a path that is too long
        return path / key.name
    if given.endswith(os.sep):
        raise Unavailable("file.no_folder", path=str(path / key.name), folder=str(path))
    return path


@command.command()
@click.option("--name", default="default", show_default=True, help="A name, or the path of the key file.")
@click.option("--passphrase-file", type=PATH, help="Read the passphrase from this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def show(language: str, name: str, passphrase_file: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Show the account of a key. The key stays encrypted.

    The passphrase is needed only if the file does not name its account, as with files from `cast wallet import`.
    """
    path = key_path(name)
    account = keystore.account_or_open(path, lambda: passphrase(language, passphrase_file))
    shown = {"account": to_checksum(account), "path": str(path)}
    if as_json:
        show_json(shown)
    else:
        say(language, "cli.key.shown", **shown)


@command.command()
@click.option("--to", "to_name", required=True, help="The successor's key: a name, or its file's path.")
@click.option("--to-passphrase-file", type=PATH, help="Read that key's passphrase from it.")
@signer_options
def rotate(options: Options, to_name: str, to_passphrase_file: Path | None) -> None:
    """Hand this account over to another key. Both sign; afterwards this key signs nothing more."""
    to_file = key_path(to_name)
    with Signer(options) as signer:
        successor: bytes | None = None
        to = keystore.account(to_file)
        if to is None:
            successor = keystore.read(to_file, passphrase(options.language, to_passphrase_file))
            to = account_of_private_key(successor)
        rotation = Rotation(from_=signer.account, to=to, madeAt=times.now(), salt=secrets.token_bytes(HASH_SIZE))
        if successor is None:
            successor = keystore.read(to_file, passphrase(options.language, to_passphrase_file))
        accounts = {"account": to_checksum(signer.account), "successor": to_checksum(to)}
        signer.send(rotation, text(options.language, "cli.key.rotate", accounts), others=(successor,))
