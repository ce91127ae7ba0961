"""The operator's check (`deedlog fsck`): derives the whole database again from its entries.

Begin with `database`, which lists the steps. `rows` reads tables; each other file checks one part of the database.
May import everything in `anchor` but `rpc`, and `registry`.
"""
