"""The C2SP formats of a transparency log. Pure; any log client can use it.

Read in this order: `note`, `checkpoint`, `tiles`, `proof`. Imports `anchor.merkle` and the pure files of `registry`.
"""
