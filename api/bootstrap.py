"""Open a registry: its identity, its database, and the record of its contract's deployment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.deployment import Deployment
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.log import store as log_store
from deedlog.registry import strict_json
from deedlog.registry.errors import InvalidData, Unavailable
from deedlog.registry.files import read_file
from deedlog.registry.hexadecimal import to_checksum
from deedlog.registry.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deedlog.api.settings import Settings

MAXIMUM_IDENTITY = 64 * 1024
_Record = TypeVar("_Record", RegistryIdentity, Deployment)


def read_identity(path: Path) -> RegistryIdentity:
    """Return the registry's identity from its file; raise `Unavailable` or `InvalidData` (`file.damaged`)."""
    return _record(path, partial(RegistryIdentity.from_json, contracts=contracts()))


def open_registry(settings: Settings) -> tuple[Database, RegistryIdentity]:
    """Open the database and check that it belongs to this registry.

    Raises `Unavailable`, or `InvalidData` (`database.other_registry`, `file.damaged`).
    """
    identity = read_identity(settings.identity_file)
    database = Database(settings.database)
    database.check_version()
    if log_store.identity_of(database) != identity:
        raise InvalidData("database.other_registry", path=str(settings.identity_file))
    return database, identity


def check_chain(settings: Settings, identity: RegistryIdentity) -> None:
    """Raise `InvalidData` (`settings.chain_not_listed`) unless the registry may live on the chosen chain."""
    chain = settings.chosen_chain()
    if chain.chain_id not in identity.chains:
        listed = ", ".join(map(str, identity.chains))
        raise InvalidData("settings.chain_not_listed", chain=chain.name, chain_id=chain.chain_id, chains=listed)


def check_deployed(settings: Settings, identity: RegistryIdentity) -> None:
    """Raise `Unavailable` (`chain.not_deployed`) if a listed chain beside the chosen one has no record of the contract.

    Until the contract is on every listed chain, whoever gets hold of the first operator key could begin another history
    where it is missing. Whether it is on the chosen chain, that chain is asked. Raises as `read_deployment` does.
    """
    chosen = settings.chosen_chain().chain_id
    missing = [
        chain_id
        for chain_id in identity.chains
        if chain_id != chosen and read_deployment(settings, identity, chain_id) is None
    ]
    if missing:
        folder = settings.deployment_file(missing[0]).parent
        raise Unavailable("chain.not_deployed", chains=", ".join(map(str, missing)), folder=str(folder))


def read_deployment(settings: Settings, identity: RegistryIdentity, chain_id: int) -> Deployment | None:
    """Return the record of the contract on a chain, as `ape run deploy` wrote it; None if there is no record.

    Raises `InvalidData`: `deployment.other_registry` if the record names another registry's address,
    `deployment.other_chain` if it names another chain.
    """
    path = settings.deployment_file(chain_id)
    if not path.exists():
        return None
    deployment = _record(path, Deployment.from_json)
    if deployment.address != identity.address:
        raise InvalidData(
            "deployment.other_registry",
            path=str(path),
            expected=to_checksum(identity.address),
            actual=to_checksum(deployment.address),
        )
    if deployment.chain_id != chain_id:
        raise InvalidData("deployment.other_chain", path=str(path), expected=chain_id, actual=deployment.chain_id)
    return deployment


def _record(path: Path, make: Callable[[object], _Record]) -> _Record:
    data = read_file(path, MAXIMUM_IDENTITY)
    try:
        return make(strict_json.loads(data, MAXIMUM_IDENTITY))
    except InvalidData as error:
        raise InvalidData("file.damaged", path=str(path), reason=error.code) from error
