"""The log that this registry operates.

Read in this order: `sequencer` (turns accepted statements into entries, tiles and a signed checkpoint, in one
transaction), `store` (SQL), `key` (the log key's file), `last_signed` (the file beside it with the last signed head).
May import `anchor.tlog`, `anchor.merkle` and `registry`.
"""
