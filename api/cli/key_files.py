"""`deedlog key list`, `check`, `restore`, `passphrase`: what one does with key files that exist."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Any

import click

from deedlog.api.cli.common import PATH, passphrase, say, show_json
from deedlog.api.cli.outputs import Output
from deedlog.api.client.home import key_folder, key_path
from deedlog.api.texts import error_text
from deedlog.registry import files, keystore
from deedlog.registry.errors import DeedlogError, InvalidData
from deedlog.registry.hexadecimal import HASH_SIZE, to_checksum
from deedlog.registry.statements import signatures

if TYPE_CHECKING:
    from pathlib import Path

_NAME = click.option("--name", default="default", show_default=True, help="A name, or the path of the key file.")
_PASSPHRASE = click.option("--passphrase-file", type=PATH, help="Read the passphrase from this file.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.command("list")
@_JSON
@click.pass_obj
def list_keys(language: str, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """List your keys, with their accounts. The keys stay encrypted."""
    rows: list[dict[str, Any]] = []
    for path in sorted(key_folder().glob("*.json")):
        row: dict[str, Any] = {"name": path.stem, "path": str(path), "account": None, "error": None}
        try:
            account = keystore.account(path)
            row["account"] = None if account is None else to_checksum(account)
        except DeedlogError as error:
            row["error"] = error.code
            row["reason"] = error_text(language, error)
        rows.append(row)
    if as_json:
        show_json({"keys": rows})
        return
    if not rows:
        say(language, "cli.key.none", folder=str(key_folder()))
    for row in rows:
        if row["error"] is not None:
            click.echo(f"{row['name']}  {row['reason']}")
        elif row["account"] is None:
            say(language, "cli.key.listed_unnamed", name=row["name"])
        else:
            click.echo(f"{row['name']}  {row['account']}")


@click.command("check")
@_NAME
@_PASSPHRASE
@_JSON
@click.pass_obj
def check(language: str, name: str, passphrase_file: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Check that file and passphrase give the account: sign something, and recover the account from the signature.

    Give the path of a backup as --name to check that.
    """
    path = key_path(name)
    keystore.account(path)  # so that nobody is asked for the passphrase of what is no key file
    account = tried(keystore.read(path, passphrase(language, passphrase_file)))
    shown = {"account": to_checksum(account), "path": str(path)}
    if as_json:
        show_json(shown)
    else:
        say(language, "cli.key.checked", **shown)


@click.command("restore")
@click.argument("backup", type=PATH)
@_NAME
@_PASSPHRASE
@_JSON
@click.pass_obj
def restore(language: str, backup: Path, name: str, passphrase_file: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Bring a key back from its BACKUP, once its passphrase has opened it. No key is replaced."""
    path = key_path(name)
    kept = Output(path, (backup, passphrase_file), lasting=True)
    ours = path.parent == key_folder()
    if not ours or path.parent.exists():
        kept.check()
    sealed = files.read_file(backup, keystore.MAXIMUM_FILE)
    keystore.account(backup)
    account = tried(keystore.opened(backup, sealed, passphrase(language, passphrase_file)))
    if ours:
        files.make_folder(path.parent, private=True)
    kept.write(sealed, mode=files.PRIVATE)
    shown = {"account": to_checksum(account), "path": str(path), "backup": str(backup)}
    if as_json:
        show_json(shown)
    else:
        say(language, "cli.key.restored", **shown)


@click.command("passphrase")
@_NAME
@_PASSPHRASE
@click.option("--new-passphrase-file", type=PATH, help="Read the new passphrase from this file.")
@click.option("--backup", type=PATH, help="Write this copy too; it may be the one that the old passphrase opens.")
@_JSON
@click.pass_obj
def change_passphrase(
    language: str,
    name: str,
    passphrase_file: Path | None,
    new_passphrase_file: Path | None,
    backup: Path | None,
    as_json: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Change the passphrase of a key file. Other copies keep the old one, so replace them too."""
    path = key_path(name)
    inputs = (passphrase_file, new_passphrase_file)
    kept = Output(path, inputs, lasting=True)
    before = files.read_file(path, keystore.MAXIMUM_FILE, follow=False)
    kept.check(replaces=lambda there: there == before)
    keystore.account(path)
    old = passphrase(language, passphrase_file)
    key = keystore.opened(path, before, old)
    account = tried(key)

    new = passphrase(language, new_passphrase_file, new=True, replacing=True)

    def is_old_copy(there: bytes) -> bool:
        # The new passphrase opens it if an earlier run was interrupted between the backup and the key file.
        for opens in (old, new):
            with contextlib.suppress(InvalidData):
                if keystore.opened(path, there, opens) == key:
                    return True
        raise InvalidData("key.other_backup", path=str(backup))

    copy = None if backup is None else Output(backup, (path, *inputs), lasting=True)
    if copy is not None:
        copy.check(replaces=is_old_copy)
    sealed = keystore.seal(path, key, new)
    tried(keystore.opened(path, sealed, new), account)  # before the file that is known to open is replaced
    if copy is not None:
        copy.write(sealed, replaces=is_old_copy, mode=files.PRIVATE)
    kept.write(sealed, replaces=lambda there: there == before, mode=files.PRIVATE)
    shown = {"account": to_checksum(account), "path": str(path)}
    if as_json:
        show_json({**shown, "backup": None if backup is None else str(backup)})
        return
    say(language, "cli.key.passphrase_changed", **shown)
    if backup is not None:
        say(language, "cli.key.backup_changed", backup=str(backup))
    say(language, "cli.key.old_backups", path=str(path))


def tried(key: bytes, account: bytes | None = None) -> bytes:
    """Return the account (20 bytes) of a private key, recovered from a signature that it makes.

    Raises `InvalidData` (`signature.signer`) if that is not `account`.
    """
    digest = secrets.token_bytes(HASH_SIZE)
    signature = signatures.sign(digest, key)
    signatures.check(signature, digest)
    if account not in (None, signature.account):
        raise InvalidData("signature.signer", named=to_checksum(account or b""), actual=to_checksum(signature.account))
    return signature.account
