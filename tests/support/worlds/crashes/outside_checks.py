"""Looks at a registry from outside, after a crash: over HTTP, at the contract, and with plain SQL.

The hashes follow the recursive definition of RFC 9162 §2.1.1 and nothing of `anchor` is used for them: an error of the
log's own code cannot hide here. What holds, in order:

1. The checkpoint's signature holds, and its root is that of the entries served.
2. No digest is twice; time never goes backwards; each entry is of a statement that somebody sent.
3. Every statement that was acknowledged is there.
4. Every tile is what the entries give.
5. Every checkpoint ever seen, every proof ever given, and every head in the contract's history have the root of the
   first entries of that size: so all of them are consistent with one another, and no size has two roots.
6. The database says the same, row by row: indices 0 to size - 1, once each; every checkpoint that was ever signed.
7. Each transaction of the operator put one head into the contract: no nonce was used for nothing.
8. Bundles verify.
9. Only then, as two more opinions: `deedlog audit` over HTTP and `deedlog fsck` on the database find nothing.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from hashlib import sha256

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import create_engine, text
from support.worlds.crashes import fsck_and_audit
from support.worlds.crashes.crash_witness import Witness, checkpoint_of, nodes_of

from deedlog.anchor.contract import contracts
from deedlog.anchor.verify import bundle
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.registry.keccak import keccak256

WIDTH = 256
ANCHORED = "0x" + keccak256(b"Anchored(bytes32,uint64,uint64)").hex()


class Tree:
    """The tree over entries, by the definition; roots of its parts are kept once computed."""

    def __init__(self, entries: list[bytes]) -> None:
        self.leaves = [sha256(b"\x00" + entry).digest() for entry in entries]
        self._roots: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, end: int) -> bytes:
        """Return the root over the leaves `start` to `end` - 1."""
        if start == end:
            return sha256(b"").digest()
        if end - start == 1:
            return self.leaves[start]
        if (start, end) not in self._roots:
            middle = start + (1 << (end - start - 1).bit_length() - 1)
            both = self.root(start, middle) + self.root(middle, end)
            self._roots[start, end] = sha256(b"\x01" + both).digest()
        return self._roots[start, end]

    def path(self, index: int, start: int, end: int) -> list[bytes]:
        """Return the inclusion path of a leaf in the tree over `start` to `end` - 1 (RFC 9162 §2.1.3.1)."""
        if end - start <= 1:
            return []
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if index < middle:
            return [*self.path(index, start, middle), self.root(middle, end)]
        return [*self.path(index, middle, end), self.root(start, middle)]


@dataclass
class Seen:
    """The entries that a registry serves, their digests, and the tree over them."""

    entries: list[bytes] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    tree: Tree = field(default_factory=lambda: Tree([]))


def look(registry, witness: Witness, bundles: int | None = None) -> Seen:
    """Assert all that a registry which runs must show; `bundles` is how many of the newest are checked, None: all.

    Statements acknowledged after the call began are not asked for.
    """
    acknowledged = witness.acknowledged
    published = set(witness.checkpoints)
    proofs = list(witness.proofs)
    seen = Seen()
    # Before all else: what is anchored later may be of more entries than are seen here.
    block = registry.chain.request("eth_blockNumber")
    with httpx.Client(base_url=registry.url) as client:
        newest = fetch(client, "/log/checkpoint")
        size, root = read_checkpoint(newest, registry.identity)
        seen.entries = read_entries(client, size)
        seen.tree = Tree(seen.entries)
        assert seen.tree.root(0, size) == root
        check_entries(seen, witness)
        missing = [digest for digest in acknowledged if digest not in set(seen.digests)]
        assert not missing, f"acknowledged and not in the log: {missing}"
        check_tiles(client, seen.tree, size)
        published |= {newest} | {checkpoint_of(proof) for _, proof in proofs}
        for note in published:
            one_size, one_root = read_checkpoint(note, registry.identity)
            assert one_size <= size, "a checkpoint of more entries was published"
            assert seen.tree.root(0, one_size) == one_root, f"another root of size {one_size} was published"
        for digest, proof in proofs:
            index, nodes = nodes_of(proof)
            assert seen.digests[index] == digest
            assert nodes == seen.tree.path(index, 0, read_checkpoint(checkpoint_of(proof), registry.identity)[0])
        check_bundles(client, registry, acknowledged if bundles is None else acknowledged[-bundles:])
    check_contract(registry, seen, block)
    check_rows(registry, seen)
    fsck_and_audit.audit(registry, sorted(published))
    return seen


def fetch(client: httpx.Client, path: str) -> bytes:
    answer = client.get(path)
    assert answer.is_success, (path, answer.status_code, answer.text)
    return answer.content


def read_checkpoint(note: bytes, identity) -> tuple[int, bytes]:
    """Return (size, root) of a checkpoint that the log key signed (C2SP signed-note, tlog-checkpoint)."""
    body, signatures = note.split(b"\n\n")
    origin, size, root = body.decode().split("\n")
    assert origin == identity.origin
    (line,) = signatures.decode().splitlines()
    mark, name, signature = line.split(" ")
    assert (mark, name) == ("—", identity.origin)
    Ed25519PublicKey.from_public_bytes(identity.log_key).verify(base64.b64decode(signature)[4:], body + b"\n")
    return int(size), base64.b64decode(root)


def tile_path(level: str, number: int, width: int) -> str:
    assert number < 1000, "longer paths are not needed here"
    return f"/log/tile/{level}/{number:03d}" + (f".p/{width}" if width < WIDTH else "")


def tiles_of(count: int):
    """Yield (number, width) of the tiles of a level with `count` hashes."""
    for number in range((count + WIDTH - 1) // WIDTH):
        yield number, min(WIDTH, count - number * WIDTH)


def read_entries(client: httpx.Client, size: int) -> list[bytes]:
    entries = []
    for number, width in tiles_of(size):
        data = fetch(client, tile_path("entries", number, width))
        while data:
            length = int.from_bytes(data[:2], "big")
            entries.append(data[2 : 2 + length])
            data = data[2 + length :]
    assert len(entries) == size
    return entries


def check_entries(seen: Seen, witness: Witness) -> None:
    before = 0
    for data in seen.entries:
        entry = json.loads(data)
        assert entry["time"] >= before, "time went backwards"
        before = entry["time"]
        seen.digests.append(entry["digest"])
    assert len(set(seen.digests)) == len(seen.digests), "a digest is twice in the log"
    strange = set(seen.digests) - set(witness.told)
    assert not strange, f"nobody sent {strange}"


def check_tiles(client: httpx.Client, tree: Tree, size: int) -> None:
    level, span = 0, 1
    while size // span:
        for number, width in tiles_of(size // span):
            first = number * WIDTH
            own = b"".join(tree.root(at * span, (at + 1) * span) for at in range(first, first + width))
            assert fetch(client, tile_path(str(level), number, width)) == own, (level, number)
        level, span = level + 1, span * WIDTH


def check_bundles(client: httpx.Client, registry, digests: list[str]) -> None:
    for digest in digests:
        verdict = verify(
            bundle.parse(fetch(client, f"/v1/statements/{digest}/bundle"), contracts()),
            Pins(registry=registry.identity.address),
        )
        # Nobody's node is asked here, so `anchored` may stay unchecked; but nothing may be a no.
        assert verdict.exit_code(("signatures", "complete", "included")) == 0 or verdict.exit_code(()) == 0, (
            verdict.to_json()
        )


def check_contract(registry, seen: Seen, block: str) -> None:
    """Each head that the contract ever accepted is one of ours, and each transaction of the operator was one."""
    address = "0x" + registry.identity.address.hex()
    wanted = {"fromBlock": "0x0", "toBlock": block, "address": address, "topics": [ANCHORED]}
    last = 0
    events = registry.chain.request("eth_getLogs", wanted)
    for event in events:
        root, size = bytes.fromhex(event["topics"][1][2:]), int(event["topics"][2], 16)
        assert int(event["data"], 16) == last
        assert size > last
        assert seen.tree.root(0, size) == root, f"the contract holds another root of size {size}"
        last = size
    operator = "0x" + registry.identity.operator.hex()
    assert int(registry.chain.request("eth_getTransactionCount", operator, block), 16) == len(events)


def check_rows(registry, seen: Seen | None) -> None:
    """Assert that the rows of the database agree with one another, and with what was seen over HTTP before, if given.

    Asks nothing of the registry: it may lie dead.
    """
    engine = create_engine(registry.database_url)
    try:
        with engine.connect() as connection:

            def ask(query: str):
                return list(connection.execute(text(query)))

            ((size, root),) = ask("SELECT size, root FROM log")
            logged = ask(
                "SELECT log_index, digest, logged_at, prefix FROM statement "
                "LEFT JOIN statement_text ON statement_id = id WHERE log_index IS NOT NULL ORDER BY log_index"
            )
            signed = ask("SELECT size, root, note FROM checkpoint ORDER BY size")
            tiles = {(row.level, row.tile_index): bytes(row.hashes) for row in ask("SELECT * FROM tile")}
            digests = ask("SELECT digest FROM statement")
            bare = ask(
                "SELECT id FROM statement WHERE id NOT IN (SELECT statement_id FROM statement_account) "
                "OR id NOT IN (SELECT statement_id FROM statement_subject) "
                "OR id NOT IN (SELECT statement_id FROM statement_text)"
            )
            anchors = ask("SELECT size, root FROM anchor")
            attempts = ask("SELECT nonce, state FROM attempt ORDER BY id")
            untransacted = ask("SELECT id FROM attempt WHERE id NOT IN (SELECT attempt_id FROM anchor_transaction)")
    finally:
        engine.dispose()
    assert [row.log_index for row in logged] == list(range(size))
    entries = [bytes(row.prefix or b"") + b',"time":%d,"v":1}' % row.logged_at for row in logged]
    tree = Tree(entries)
    assert bytes(root) == tree.root(0, size)
    assert [row.size for row in signed][-1] == size, "a checkpoint was signed that is not the log's"
    for row in signed:
        assert bytes(row.root) == tree.root(0, row.size), f"a checkpoint of size {row.size} has another root"
        assert read_checkpoint(bytes(row.note), registry.identity) == (row.size, bytes(row.root))
    assert len({bytes(row.digest) for row in digests}) == len(digests)
    assert not bare, f"statements without their accounts or subjects: {bare}"
    assert tiles == expected_tiles(tree, size)
    for row in anchors:
        assert bytes(row.root) == tree.root(0, row.size), f"an anchor of size {row.size} has another root"
    nonces = [row.nonce for row in attempts if row.state != "abandoned"]
    assert nonces == sorted(set(nonces)), f"a nonce has two attempts: {nonces}"
    assert not untransacted, f"attempts without a transaction: {untransacted}"
    fsck_and_audit.fsck(registry)
    if seen is not None:
        # The log may have grown since: what was served then is still there.
        assert entries[: len(seen.entries)] == seen.entries


def expected_tiles(tree: Tree, size: int) -> dict[tuple[int, int], bytes]:
    tiles, level, span = {}, 0, 1
    while size // span:
        for number, width in tiles_of(size // span):
            first = number * WIDTH
            tiles[level, number] = b"".join(tree.root(at * span, (at + 1) * span) for at in range(first, first + width))
        level, span = level + 1, span * WIDTH
    return tiles
