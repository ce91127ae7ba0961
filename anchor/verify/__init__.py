"""From a bundle to a verdict, offline. Pure: everything from outside is an argument.

Read in this order: `verdict` (answers), `bundle` (the file), `pins` (what the user brings), `evidence` (the sorts of
anchors, one file each), `inclusion` (all anchors together), `procedure` (the numbered steps), `with_others` (a verdict
that takes other statements of the log into account), `disclosure`, `payout_check`. Imports `anchor.evm`, `anchor.tlog`,
`anchor.merkle` and the pure files of `registry`.
"""
