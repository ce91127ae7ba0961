"""The operator's check: the whole database derived again from its entries.

Begin with `database`, which lists the steps; `rows` reads tables, and each other file checks one part.
"""
