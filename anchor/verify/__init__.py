"""From a bundle to a verdict, offline. Pure: everything from outside is an argument.

Read in this order: `verdict` (answers), `bundle` (the file), `pins` (what the verifier brings), `evidence` (what an
anchor may be, one file a sort), `inclusion` (all anchors together), `procedure` (the numbered steps), `with_others`
(other statements beside it), `disclosure`, `payout_check`. Imports `anchor.evm`, `anchor.tlog`, `anchor.merkle` and the
pure files of `registry`.
"""
