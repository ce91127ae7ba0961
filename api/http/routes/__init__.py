"""The routes, one file for each resource. They leave all checks of statements to `registry.acceptance`.

Read `writing` first (statements, one or many), then `statements` (reading them), `drafts`, `agreements`, `events`,
`sessions` (signing in), `log` (tiles and checkpoints) and `health`. A route takes what it needs from `Context`, and is
included in `api.app`. May import everything in `api.http`.
"""
