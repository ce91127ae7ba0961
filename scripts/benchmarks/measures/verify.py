"""`deedlog verify` of an anchored bundle with its file, as a whole process, against the bare interpreter."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figure import Figure
from benchmarks.local_chain import running_chain
from benchmarks.measures.log import LOG_KEY, NOW
from benchmarks.measures.statement import KEY, WORK
from benchmarks.place import data_folder
from benchmarks.timing import in_turns
from deedlog.anchor.anchoring.anchorer import Anchorer
from deedlog.anchor.anchoring.config import AnchoringConfig
from deedlog.anchor.bundle_builder import make_bundle
from deedlog.anchor.contract import current
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.evm.state_proof import parse_header
from deedlog.anchor.log import sequencer as log
from deedlog.anchor.rpc.networks import chain_named
from deedlog.anchor.verify.evidence.evm_slot import slots
from deedlog.registry.acceptance.accept import Accepted, Submission, Submitter, accept
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.typed_data import typed_data
from deedlog.registry.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedlog.anchor.verify.bundle import Bundle

ROUNDS = 21
TICKS = 4
OPERATOR = sha256(b"operator").digest()
VIDEO = b"not quite a video"


def measure() -> Iterator[Figure]:
    """Pin the registry and a block's hash, so that every answer is computed; exit code 0 is required."""
    with data_folder() as folder:
        bundle, registry = _anchored(folder)
        path, file = folder / "a.deed", folder / "video"
        path.write_bytes(bundle.format())
        file.write_bytes(VIDEO)
        header = parse_header(slots(bundle.anchors)[0].header)
        pins = ["--registry", to_hex(registry), "--block-hash", to_hex(header.hash)]
        command = [str(Path(sys.executable).with_name("deedlog")), "verify", str(path), str(file), *pins]

        def ours() -> None:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

        def bare() -> None:
            subprocess.run([sys.executable, "-c", "pass"], check=True)

        mine, interpreter = in_turns(ROUNDS, ours, bare)
    yield Figure(
        "verify",
        mine * 1e3,
        "ms",
        "the bare interpreter",
        interpreter * 1e3,
        f"a bundle of {len(bundle.format()):,} bytes, exit code 0",
    )


def _anchored(folder: Path) -> tuple[Bundle, bytes]:
    """Return the bundle of a work anchored on a development chain, and the registry's address."""
    operator = account_of_private_key(OPERATOR)
    identity = RegistryIdentity(
        contract=current(),
        salt=bytes(32),
        origin="deeds.example.com/log",
        log_key=LOG_KEY.public_key().public_bytes_raw(),
        owner=operator,
        operator=operator,
        chains=(chain_named("local").chain_id,),
    )
    database = Database(f"sqlite:///{folder / 'deedlog.sqlite'}")
    database.migrate()
    log.create(database, identity, LOG_KEY, NOW)
    work = dataclasses.replace(WORK, contentHash=sha256(VIDEO).digest(), contentLength=len(VIDEO))
    signature = sign(work.digest(domain_separator(identity.address)), KEY)
    submission = Submission(typed_data(work, identity.address), (signature,))
    [answer] = accept(database, identity.address, [submission], Submitter(), NOW)
    if not isinstance(answer, Accepted):
        sys.exit(f"verify: the statement is not accepted: {answer}")
    log.sequence(database, identity, LOG_KEY, NOW)
    with running_chain() as chain:
        chain.deploy_local(identity)
        anchorer = Anchorer(database, chain, AnchoringConfig(chain_named("local"), identity, OPERATOR, 1))
        for tick in range(TICKS):
            anchorer.tick(NOW + tick)
    with database.read() as connection:
        bundle = make_bundle(connection, identity, answer.digest)
    database.close()
    return bundle, identity.address
