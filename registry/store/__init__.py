"""All SQL of the registry: tables, transactions, leases.

Read in this order: `tables`, `database` (one transaction for each write), `lease` (one holder for each role),
`statements`, `insertion`, `drafts`, `partial_state` (the part of the log that bears on a statement, folded); then
`events`, `alarms`, `api_keys`, `sessions`. `migrations` has the steps between schema versions. Functions take a
connection and never commit. Imports `registry.rules`, `registry.statements` and the ground.
"""
