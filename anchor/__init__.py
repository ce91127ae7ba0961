"""How claims become undeniable: the Merkle log, its anchoring on a chain, and the verification of both.

Read in this order: `merkle`, `tlog` (the log's formats), `evm` (the chain's facts), `verify` (from a bundle to a
verdict): all pure. Then `contract` (the compiled contract), `log` (the log we run), `rpc` (nodes), `anchoring` (the
log's head to the contract), `audit` (a log checked from outside), `fsck` (a database checked from inside) and
`bundle_builder`. May import `registry`, never `api`.
"""
