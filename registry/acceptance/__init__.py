"""The use cases of writing: check a statement and accept it. Also who may read a body.

Read in this order: `submission` (checks a statement without the database), `accept` (stores it once and answers
repeats), `drafts` (statements that several accounts must sign), `group_commit` (many writes in one transaction),
`write_queue` (the one writer of a web process), `access` (who may read a body). This is the top of `registry`: it may
import everything else in it.
"""
