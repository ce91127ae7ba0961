"""Everything that talks to an RPC node.

Read in this order: `json_rpc` (makes all requests, over `registry.bounded_http`), `redaction` (removes the secrets from
a URL), `networks` (reads the chains file), `contract_reader` (reads the contract, for audits), `evm_chain` (the
operator's chain; the only file that imports web3).
"""
