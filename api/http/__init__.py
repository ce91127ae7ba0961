"""The JSON API under `/v1`, and everything that handles a request.

Read in this order: `schemas` and `problems` (what goes in and out), `context` (one request), `api_keys`, `sessions`,
`quota` (who may do what), `routes` (one file for each resource), `fast_path` and `batch_checker` (upload speed),
`exception_handlers`, `caching`, `connection_limits`, `openapi`, `parameters` and `examples` (the document), `health`,
`metrics`. May import `anchor`, `registry` and `api.texts`, `api.settings`, `api.logs`.
"""
