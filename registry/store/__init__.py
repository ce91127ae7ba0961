"""All SQL of the registry: tables, transactions, leases and queries.

Read in this order: `tables`, `database` (one transaction for each write), `lease` (one holder for each role),
`statements`, `insertion`, `clock` (dates what is accepted), `drafts`, `partial_state` (folds the part of the log that
affects some statements); then `events`, `alarms`, `api_keys`, `sessions`. `migrations` holds the steps between schema
versions. Query functions take a connection and never commit. May import `registry.rules`, `registry.statements` and the
files of `registry/` itself.
"""
