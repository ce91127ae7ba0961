"""What statements mean together: one pure fold over a log's entries.

Read in this order: `state` (the result so far), `rule` (the parts of a rule), the rules by family (`works`,
`agreements`, `accounts`), `fold` (applies them in log order), `standings` (its codes), `payouts` (who gets what).
May import `registry.statements` and the pure files of `registry/`.
"""
