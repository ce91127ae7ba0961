"""A client of a registry: HTTP, the outbox of signed statements, the log as it is served.

Read in this order: `registry_client`, `outbox`, `log_client`. The command line uses it; so may anybody.
"""
