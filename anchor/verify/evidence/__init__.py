"""The sorts of evidence that an anchor in a bundle may be, one file each. Pure.

Read in this order: `anchor` (the interface of every sort), `evm_slot` (a head in the contract's storage), `unknown` (a
sort that this version does not know), `table` (from the member `type` to the sort). A new sort needs a file here and a
line in `table`. Imports `anchor.evm`, `anchor.tlog`, `anchor.merkle`, and from `anchor.verify` only `pins` and
`verdict`.
"""
