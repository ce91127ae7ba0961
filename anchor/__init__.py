"""How statements become undeniable: the Merkle log, its anchoring on a chain, and the verification of both.

Read in this order. Pure: `merkle`, `tlog` (the log's formats), `evm` (facts about Ethereum), `verify` (from a bundle to
a verdict). Then `contract` (the compiled contract), `log` (the log that this registry operates), `rpc` (nodes),
`anchoring` (brings heads into the contract), `audit` (the public check of a log), `fsck` (the operator's check of the
database) and `bundle_builder`. May import `registry`, never `api`.
"""
