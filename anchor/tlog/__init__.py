"""The C2SP formats of a transparency log. Pure, and usable by any log client.

Read in this order: `note`, `checkpoint`, `tiles`, `proof`. Imports `anchor.merkle` and the pure ground of `registry`.
"""
