"""`deedlog fsck` and `deedlog audit` as judges of a registry that crashed, in this process: they find nothing wrong."""

from __future__ import annotations

from contextlib import closing

from deedlog.anchor.audit.audit import audit_log
from deedlog.anchor.fsck.database import check_database
from deedlog.anchor.rpc.contract_reader import NodeContract
from deedlog.api.client.log_client import ServedLog
from deedlog.registry.store.database import Database


def fsck(registry) -> None:
    """Derive the whole database again, and compare; the chain is not asked: its node may be ahead."""
    fsck_database(registry.database_url, registry.identity)


def fsck_database(url, identity) -> None:
    """Derive the whole database at `url` again, and compare."""
    with closing(Database(url)) as database:
        check_database(database, identity)


def audit(registry, checkpoints) -> None:
    """Derive the log again over HTTP, and compare it with every checkpoint ever published and with the contract."""
    kept = [(str(number), note) for number, note in enumerate(checkpoints)]
    with ServedLog(registry.url) as log, NodeContract(registry.chain.url, registry.identity.address) as contract:
        audit_log(log, registry.identity.verifier_key, earlier=kept, contract=contract)
