"""What a verifier must know of Ethereum. Pure: no network, no files.

Read in this order: `rlp`, `trie_proof`, `state_proof` (from a block header to one storage slot), `identity` (the
registry address and what it commits to), `deployment`, `finality`. `artifacts` holds the compiled contract.
"""
