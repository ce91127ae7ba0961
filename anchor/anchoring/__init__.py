"""Brings the log's head into the contract: one state machine.

Read in this order: `config`, `chain_port` (what is asked of a chain), `store` (SQL), `chain_view` (what the chain says
at one block), `tracker` (anchors until they are final), `sender` (attempts: signed, stored, sent, settled), `anchorer`
(one tick of all this).
"""
