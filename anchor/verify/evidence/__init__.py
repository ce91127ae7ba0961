"""Sorts of evidence: what an anchor of a bundle may be, one file a sort. Pure.

Read in this order: `anchor` (what every sort has), `evm_slot` (a head in the contract's storage), `unknown` (a sort
that this version does not know), `table` (from the member `type` to the sort). A new sort is a file here and a line in
`table`. Imports `anchor.evm`, `anchor.tlog`, `anchor.merkle` and, of `anchor.verify`, `pins` and `verdict`.
"""
