"""What is claimed, by whom, and where it is kept.

Read in this order: `statements` (what can be said), `rules` (what it means), `store` (where it is kept), `acceptance`
(how it gets there). The files beside them are the ground that all stand on: errors, hex, strict JSON, text rules,
hashing, files, times, keys, signing in, the one HTTP client, failpoints. Nothing here imports `anchor` or `api`.
"""
