"""What `fsck` covers, column by column: where a flipped bit is tried, what is named then, what is left out and why."""

from __future__ import annotations

from support.worlds.databases.damage_world import (
    ERASED,
    SIZE,
)

from deedlog.registry.store.tables import Table

FREE = {
    ("statement", "accepted_at"): "the registry's clock at acceptance: its entry may have a later time",
    ("statement", "public_from"): "when its sender lets others read it: in no entry",
    ("draft", "public_from"): "the same",
    ("draft_party", "declined_at"): "the registry's clock, when a party said that it will not sign",
    ("attempt", "created_at"): "the registry's clock",
    ("anchor_transaction", "created_at"): "the registry's clock",
    ("anchor_transaction", "sent_at"): "the registry's clock",
}
"""Columns that follow from nothing: a flipped bit there is another truth, not a contradiction."""

PARTLY = {
    ("idempotency_key", "name"): "after its prefix it is the client's own name for a request",
    ("idempotency_key", "fingerprint"): "under an idempotency key it may be of a repeat, whose digest is kept nowhere",
    ("idempotency_key", "statement_id"): "the same: under an API key's idempotency key, any statement could be meant",
    ("checkpoint", "signed_at"): "not in the note; when its entries were logged is told, of the first head nothing is",
    ("event", "id"): "an anchor may be told again at any time, and the last of a kind may come later",
    ("event", "at"): "the registry's clock where somebody declined, the block's where a head was anchored",
}
"""Columns that follow from the rest in some rows only: these rows have tests of their own."""

BESIDE = {
    "api_key": "no statement rests on an API key",
    "session": "who has signed in now: no statement rests on it, and it is over in a quarter of an hour",
    "sign_in_nonce": "random, and over in five minutes",
    "lease": "who works now, not what was logged",
    "alarm": "what the worker saw last",
    "chain_status": "what the worker saw last",
    "alembic_version": "compared when the database is opened",
}
"""Tables that fsck does not cover, and why."""

OF_ENTRIES = ("statement", "statement_text", "tile")
"""What they hold depends on where in the log it stands; what the other tables hold is the same beside a few entries."""

ROWS = dict.fromkeys(("statement", "statement_text"), (1, 2, 3, ERASED + 1, SIZE + 1)) | {
    "event": (1, 4, 8, 9, 16),
    "draft": (1, 2, 4),
    "draft_party": (2, 5),
}
"""Where more than one row is worth a try: of each kind, of two creators, erased, not logged; logged, anchored,
accepted, in force; who signed a draft, who declined."""

BITS = dict.fromkeys((("statement_text", "body"), ("anchor", "header")), (0, 77, 1201)) | {
    ("anchor", "account_proof"): (0, 77, 1201),
    ("anchor", "final"): (0,),
}
"""A boolean has one bit; what is long is flipped near its middle too."""

NAMED = {
    ("attempt", "id"): {"attempt", "anchor_transaction"},
    ("attempt", "chain_id"): {"attempt", "anchor"},
    ("anchor_transaction", "attempt_id"): {"attempt", "anchor_transaction"},
    ("statement", "id"): {"statement", "statement_text", "statement_account", "idempotency_key"},
    ("statement", "logged_at"): {"statement", "audit.tile"},
    ("statement_text", "prefix"): {"statement_text", "audit.tile"},
    ("statement", "log_index"): {"statement", "fsck.index_missing"},
    ("tile", "level"): {"audit.tile_size"},
    ("tile", "tile_index"): {"audit.tile_size"},
    ("tile", "hashes"): {"audit.tile"},
    ("anchor", "chain_id"): {"anchor"},
    ("draft", "id"): {"draft_party", "draft_subject"},
    ("draft", "digest"): {"draft", "draft_party"},
    ("draft_party", "signed_at"): {"draft_party", "event"},
}
"""Which table is named, where it is not the column's own; without a table, the code."""

COLUMNS = [
    (table.name, column.name)
    for table in Table.metadata.sorted_tables
    if table.name not in BESIDE
    for column in table.columns
]
