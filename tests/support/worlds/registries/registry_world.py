"""A small world for the tests: people, a registry with a log, and a way to carry a statement to its bundle."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.worlds.chains.mined_chain import MinedChain

from deedlog.anchor.anchoring.anchorer import Anchorer
from deedlog.anchor.anchoring.config import AnchoringConfig
from deedlog.anchor.bundle_builder import make_bundle
from deedlog.anchor.contract import current
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.log import sequencer as log
from deedlog.anchor.rpc.networks import chain_named
from deedlog.api.client.signed_statement import SignedStatement
from deedlog.registry.acceptance.accept import Submission, Submitter, accept
from deedlog.registry.statements import Rendition, Upload, Work
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.typed_data import typed_data
from deedlog.registry.store.database import Database

NOW = 1_795_460_000
PLATFORM = Submitter(None, frozenset({"upload"}))


def person(name: str) -> bytes:
    """Return the private key of a person."""
    return hashlib.sha256(f"key of {name}".encode()).digest()


ALICE, BOB, PLATFORM_KEY, OPERATOR, OWNER = map(person, ("alice", "bob", "platform", "operator", "owner"))
VIDEO = b"not quite a video, but bytes are bytes"


def salt(text: str) -> bytes:
    return hashlib.sha256(f"salt {text}".encode()).digest()


def work(key: bytes = ALICE, content: bytes = VIDEO, **changes) -> Work:
    values = {
        "title": "怎样读论文 How to read a paper",
        "creditedAs": "爱丽丝 Alice",
        "creators": (account_of_private_key(key),),
        "basis": "own",
        "aiUse": "none",
        "contentHash": hashlib.sha256(content).digest(),
        "contentLength": len(content),
        "mediaType": "video/mp4",
        "madeAt": NOW - 100,
        "salt": salt("work"),
    }
    return Work(**(values | changes))


def upload(key: bytes = PLATFORM_KEY, content: bytes = VIDEO, **changes) -> Upload:
    values = {
        "title": "An upload",
        "creditedAs": "user 17",
        "aiUse": "assisted",
        "contentHash": hashlib.sha256(content).digest(),
        "contentLength": len(content),
        "mediaType": "video/mp4",
        "platform": account_of_private_key(key),
        "uploader": salt("user 17"),
        "uploadedAt": NOW - 50,
        "salt": salt("upload"),
    }
    return Upload(**(values | changes))


def rendition(source: bytes, key: bytes = PLATFORM_KEY, content: bytes = b"smaller", **changes) -> Rendition:
    values = {
        "source": source,
        "contentHash": hashlib.sha256(content).digest(),
        "contentLength": len(content),
        "mediaType": "video/mp4",
        "tool": "ffmpeg 7 -vf scale=640:-2",
        "maker": account_of_private_key(key),
        "madeAt": NOW - 40,
        "salt": salt("rendition"),
    }
    return Rendition(**(values | changes))


def request_body(statement, registry: bytes, key: bytes) -> dict:
    """Return the body of `POST /v1/statements` for a statement that one key signs, as the client makes it."""
    signature = sign(statement.digest(domain_separator(registry)), key)
    return SignedStatement(statement, registry, (signature,)).to_json()


@dataclass
class World:
    """A registry on a database, perhaps with a chain."""

    database: Database
    log_key: Ed25519PrivateKey
    identity: RegistryIdentity
    anchorer: Anchorer | None = None
    now: int = NOW
    answers: list = field(default_factory=list)

    @property
    def separator(self) -> bytes:
        return domain_separator(self.identity.address)

    def submission(self, statement, *keys: bytes, **names) -> Submission:
        digest = statement.digest(self.separator)
        return Submission(
            typed_data(statement, self.identity.address), tuple(sign(digest, key) for key in keys), **names
        )

    def accept(self, statement, *keys: bytes, submitter: Submitter = PLATFORM, **names):
        submission = self.submission(statement, *(keys or (ALICE,)), **names)
        return accept(self.database, self.identity.address, [submission], submitter, self.now)[0]

    def sequence(self) -> int:
        total = 0
        while count := log.sequence(self.database, self.identity, self.log_key, self.now):
            total += count
        return total

    def anchor(self) -> None:
        """Tick until nothing is open: begin, settle, finalise."""
        for _ in range(4):
            self.now += 1
            self.anchorer.tick(self.now)

    def bundle(self, digest: bytes):
        with self.database.read() as connection:
            return make_bundle(connection, self.identity, digest)


def identity(log_key: Ed25519PrivateKey, **changes) -> RegistryIdentity:
    values = {
        "contract": current(),
        "salt": bytes(32),
        "origin": "deeds.example.com/log",
        "log_key": log_key.public_key().public_bytes_raw(),
        "owner": account_of_private_key(OWNER),
        "operator": account_of_private_key(OPERATOR),
        "chains": (31337, 11155111),
    }
    return RegistryIdentity(**(values | changes))


def open_world(database: Database, seed: bytes = bytes(32), **changes) -> World:
    """Return a registry with a new, empty log."""
    database.migrate()
    log_key = Ed25519PrivateKey.from_private_bytes(seed)
    world = World(database, log_key, identity(log_key, **changes))
    log.create(database, world.identity, log_key, NOW)
    return world


def connect(world: World, url: str, **changes) -> World:
    """Deploy the contract on the chain at `url` and let the world anchor there."""
    port = MinedChain(url)
    port.deploy_local(world.identity)
    chain = dataclasses.replace(chain_named("local"), **changes)
    world.anchorer = Anchorer(world.database, port, AnchoringConfig(chain, world.identity, OPERATOR, 1))
    return world
