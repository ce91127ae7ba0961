"""The state machine that brings the log's heads into the contract.

Read in this order: `config`, `chain_port` (the calls made to a chain), `store` and `attempt_store` (SQL), `chain_view`
(observe the chain at one block), `tracker` (follow anchors until they are final), `sender` (attempts: sign, store,
send, settle), `anchorer` (one tick of all this). May import `anchor.log`, `anchor.evm` and below, and `registry`.
"""
