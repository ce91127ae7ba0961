"""What is stated, by whom, and where it is stored.

Read in this order: `statements` (what a statement can say), `rules` (what statements mean together), `store` (all SQL),
`acceptance` (how statements are checked and stored). The files in this folder are the ground for all other code:
errors, hexadecimal, strict JSON, text rules, hashing, files, times, keys, signing in, the HTTP client, failpoints.
Nothing here imports `anchor` or `api`.
"""
