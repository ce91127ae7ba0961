"""The entry points: HTTP, pages and the command line.

Read in this order: `texts` (words for people), `settings`, `logs`, `http` (the JSON API), `web` (pages), `client`
(a client of a registry), `cli` (the command `deedlog`). The composition roots are `bootstrap`, `app` (the web process)
and `worker`. May import `anchor` and `registry`.
"""
