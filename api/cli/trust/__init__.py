"""Which registry a person means: the option `--registry`, and the command `deedlog trust`.

Read in this order: `pinning` (an address or a trusted name, and the words for where an address came from), `commands`
(`trust add`, `list`, `remove`). The file of trusted names is read by `api/client/trusted.py`. May import what the rest
of `cli` may.
"""
