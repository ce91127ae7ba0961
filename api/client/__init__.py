"""A client of a registry, for platforms and for the command line. Platforms import it as `deedlog.client`.

Read in this order: `registry` (what a program calls), `answers` (what it gets), `signed_statement` (what it sends),
`connection` (one registry over HTTP), `log_client` (the log as served), `home`, `outbox` and `trusted` (a person's own
files). May import `registry`, `anchor.contract`, `anchor.verify` and `api.texts`: the base install.
"""
