"""Which anchors cover an entry, asked for one entry after the other as a list is shown."""

from __future__ import annotations

import random

from deedlog.anchor.anchoring import store as anchor_store
from deedlog.anchor.anchoring.store import Covering, StoredAnchor, anchors_covering


def anchor(chain_id, size):
    return StoredAnchor(
        chain_id=chain_id,
        size=size,
        root=size.to_bytes(32, "big"),
        previous_size=0,
        time=size,
        block_number=size,
        header=b"",
        block_hash=bytes(32),
        proof_number=size,
        account_proof=(),
        storage_proof=(),
        final=False,
    )


def test_neighbours_have_the_anchors_that_each_has_when_asked_alone(database):
    draw = random.Random(1)
    with database.write() as connection:
        for chain_id in (1, 2):
            for size in draw.sample(range(1, 60), 6):
                anchor_store.put_anchor(connection, anchor(chain_id, size))
    with database.read() as connection:
        for indices in ([*range(70)], [draw.randrange(70) for _ in range(200)], [*range(70, -1, -1)]):
            covering = Covering(connection)
            for index in indices:
                assert covering.of(index) == anchors_covering(connection, index)
