"""The public audit: a served log derived again from its entries.

Read in this order: `tree`, `duplicates`, `audit` (the steps). Anything that can deliver tiles is a `Source`.
"""
