"""What statements mean together: one pure fold over a log's entries.

Read in this order: `state` (what is known so far), `rule` (what a rule is made of), the rules by family (`works`,
`agreements`, `accounts`), `fold` (applies them in the log's order), `payouts` (who gets what). Imports
`registry.statements` and the pure ground.
"""
