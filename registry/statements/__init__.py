"""What can be said: the kinds of statement, their bytes and their signatures. Pure.

Read in this order: `eip712` (structs), `member_types` (members), `subjects` (what a statement is about), `base` (what
a kind declares), `vocabulary` (the types that kinds share), then the kinds by family: `works`, `agreements`,
`accounts`. `typed_data` is a statement as it is sent, `signatures` checks who signed, `entry` is its leaf in the log.
Imports the pure ground of `registry` only.

A type is never edited: a changed one gets a new name, and the old one verifies for ever.
"""

from deedlog.registry.statements.base import KINDS, Statement

# Each kind declares itself when its file is imported. This is the order in which documents and schemas list them.
# ruff: isort: off
from deedlog.registry.statements.works import Claim, Contribution, Countersignature, Rendition, Upload, Work
from deedlog.registry.statements.agreements import Agreement, Cancellation, RevenueReport, Share, Termination
from deedlog.registry.statements.accounts import Rotation
# ruff: isort: on

__all__ = [
    "KINDS",
    "Agreement",
    "Cancellation",
    "Claim",
    "Contribution",
    "Countersignature",
    "Rendition",
    "RevenueReport",
    "Rotation",
    "Share",
    "Statement",
    "Termination",
    "Upload",
    "Work",
]
