"""The public audit: derives a served log again from its entries.

Read in this order: `tree` (the tree and its tiles), `duplicates` (repeated digests), `audit` (the numbered steps).
Anything that can deliver checkpoints and tiles is a `Source`. May import `anchor.evm` and below, and `registry` but not
its store: an auditor has no database.
"""
