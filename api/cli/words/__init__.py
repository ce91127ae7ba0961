"""What a statement says, in words: before a person signs it, and whenever they ask.

Read in this order: `found` (a statement at a registry or in a file), `show` (the command `deedlog show`), `terms` (a
text that an agreement names, and the command `deedlog terms`), `before_signing` (the statements that the one to be
signed names). The words themselves are in `api/texts/verdict_text.py`. May import what the rest of `cli` may.
"""
