"""What a verifier must know about Ethereum. Pure: no network, no files.

Read in this order: `rlp`, `trie_proof`, `state_proof` (from a block header to one storage slot), `identity` (the
registry address and what it commits to), `deployment`, `network`, `finality`, `block_time`. Callers read the compiled
contract from `anchor.contract` and pass it in. Imports `anchor.tlog`, `anchor.merkle` and the pure files of `registry`.
"""
