"""`deedlog init`: create a registry's keys, identity, database and empty log."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedlog.anchor.contract import current
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.log import key as log_key
from deedlog.api.cli.common import say, show_json
from deedlog.api.cli.exit_codes import ExitCode, ending
from deedlog.api.cli.outputs import Output
from deedlog.registry import files, keystore, times
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.failpoints import failpoint
from deedlog.registry.hexadecimal import HASH_SIZE, account_from_any_case, from_hex, to_checksum
from deedlog.registry.passphrases import check_new
from deedlog.registry.sign_in import site_at

if TYPE_CHECKING:
    from deedlog.registry.store.database import Database


@click.command()
@click.option(
    "--origin",
    envvar="DEEDLOG_ORIGIN",
    help="The log's URL without its scheme; for ever. Default: that of DEEDLOG_PUBLIC_URL, with /log.",
)
@click.option("--owner", required=True, help="The cold account that may change operator and log key (0x…).")
@click.option(
    "--chain",
    "chain_names",
    multiple=True,
    help="A chain on which the contract may be, by its name in the file of chains; for ever. Repeat it for several. "
    "Default: the one of DEEDLOG_CHAIN.",
)
@click.option("--salt", help="32 bytes (0x…) for the registry address; default: random.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(
    language: str,
    origin: str | None,
    owner: str,
    chain_names: tuple[str, ...],
    salt: str | None,
    as_json: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Create a registry: its keys, its address, its empty log. Run once."""
    from deedlog.anchor.log import sequencer as log  # noqa: PLC0415 - the platform's packages, not the base install's
    from deedlog.anchor.rpc.networks import chain_named  # noqa: PLC0415
    from deedlog.api.settings import read_settings  # noqa: PLC0415
    from deedlog.registry.store.database import Database  # noqa: PLC0415

    settings = read_settings()
    if settings.identity_file.exists():
        raise Unavailable("file.exists", path=str(settings.identity_file))
    owner_account = account_from_any_case(owner, "--owner")
    origin = _origin(origin, settings.public_url)
    chosen_salt = secrets.token_bytes(HASH_SIZE) if salt is None else from_hex(salt, HASH_SIZE, "--salt")
    chains = [chain_named(name, settings.chains) for name in chain_names] or [settings.chosen_chain()]
    chain_ids = tuple(sorted({chain.chain_id for chain in chains}))
    # Validate the arguments with placeholder keys first, so an invalid registry is refused before any key is written.
    placeholder = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with ending(ExitCode.USAGE):
        draft = RegistryIdentity(current(), chosen_salt, origin, placeholder, owner_account, owner_account, chain_ids)
    files.make_folder(settings.data, private=True)  # drafts and withheld statements are in it
    # Reuse the keys of an interrupted run: they have signed nothing but the empty log.
    if settings.log_key.exists():
        signing_key = log_key.read(settings.log_key, settings.log_passphrase())
    else:
        check_new(settings.log_passphrase())
        signing_key = log_key.create(settings.log_key, settings.log_passphrase())
    failpoint("init.log_key")
    if settings.operator_key.exists():
        operator = keystore.account_or_open(settings.operator_key, settings.operator_passphrase)
    else:
        check_new(settings.operator_passphrase())
        operator = keystore.write(settings.operator_key, keystore.new_key(), settings.operator_passphrase())
    failpoint("init.operator_key")
    identity = replace(draft, log_key=signing_key.public_key().public_bytes_raw(), operator=operator)
    database = Database(settings.database)
    database.migrate()
    failpoint("init.migrated")
    begun = _begun(database)
    if begun is None:
        log.create(database, identity, signing_key, times.now())
    elif begun == (replace(identity, salt=begun.salt) if salt is None else identity):
        # An interrupted run made the log for the same arguments and keys: only the file is missing.
        identity = begun
    else:
        raise InvalidData("log.exists")
    failpoint("init.created")
    text = json.dumps(identity.to_json(), indent=2) + "\n"
    Output(settings.identity_file, (settings.log_key, settings.operator_key), lasting=True).write(
        text.encode(), mode=0o644
    )
    failpoint("init.identified")
    shown = {
        "registry": to_checksum(identity.address),
        "operator": to_checksum(operator),
        "owner": to_checksum(owner_account),
        "origin": origin,
        "data": str(settings.data),
    }
    if as_json:
        show_json(shown | {"chains": list(chain_ids)})
    else:
        say(language, "cli.init.done", **shown, chains=", ".join(map(str, chain_ids)))


def _origin(given: str | None, public_url: str | None) -> str:
    """Return the log's origin: the registry's public URL without scheme, and `/log` (C2SP tlog-tiles, "Parameters").

    Monitors look for the log there, and an origin cannot be changed. Raises `InvalidData` (`init.no_origin`,
    `init.origin` with the right one, `registry.origin`).
    """
    if given is None and public_url is None:
        raise InvalidData("init.no_origin", field="--origin")
    # Without a public URL, the origin itself says what it should be.
    url = public_url or f"https://{(given or '').rpartition('://')[2].rstrip('/').removesuffix('/log')}"
    try:
        expected = f"{site_at(url).uri.partition('://')[2]}/log"
    except InvalidData as error:
        raise InvalidData("registry.origin", field="--origin") from error
    if given not in (None, expected):
        raise InvalidData("init.origin", field="--origin", expected=expected)
    return expected


def _begun(database: Database) -> RegistryIdentity | None:
    """Return the identity of the log in the database; None if it has no log."""
    from deedlog.anchor.log import store as log_store  # noqa: PLC0415 - see `command`

    try:
        return log_store.identity_of(database)
    except Unavailable as error:
        if error.code != "log.missing":
            raise
        return None
