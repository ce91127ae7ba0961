"""Everything that speaks to a node.

Read in this order: `json_rpc` (the one caller of nodes, over `registry.bounded_http`), `redaction` (a URL without its
secrets), `networks` (the file of chains), `contract_reader` (reads the contract for audits), `evm_chain` (the
operator's side; the only file that imports web3).
"""
