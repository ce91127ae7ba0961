"""What a verifier must know of Ethereum. Pure: no network, no files.

Read in this order: `rlp`, `trie_proof`, `state_proof` (from a block header to one storage slot), `identity` (the
registry address and what it commits to), `deployment`, `network`, `finality`. The compiled contract is handed in by the
caller, who has it from `anchor.contract`. Imports `anchor.tlog`, `anchor.merkle` and the pure files of `registry`.
"""
