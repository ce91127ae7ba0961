"""The log that this registry runs.

Read in this order: `sequencer` (accepted statements become entries, tiles and a signed checkpoint, in one
transaction), `key` (the log key's file), `last_signed` (the newest signed size, kept beside the key).
"""
