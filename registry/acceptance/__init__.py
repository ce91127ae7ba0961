"""Use cases of writing: how a statement is checked and accepted.

Read in this order: `submission` (a statement as sent, checked), `accept` (kept once, repeats answered), `drafts`
(statements that several must sign), `group_commit` (many writes in one transaction), `write_queue` (the one writer of
a web process), `access` (who may read a body). The top of `registry`: imports everything below it.
"""
