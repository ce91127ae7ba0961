"""What a statement can say: the kinds, their bytes and their signatures. Pure.

Read in this order: `eip712` (structs), `member_types` (members), `subjects` (what a statement is about), `base` (what
a kind declares), `vocabulary` (member types that kinds share), then the kinds by family: `works`, `agreements`,
`accounts`. `typed_data` is the JSON form in which statements are signed and sent, `signatures` checks signatures,
`entry` is the leaf in the log. May import only the pure files of `registry/`.

A kind never changes: a changed one gets a new name, and statements of the old one verify forever.
"""

from deedlog.registry.statements.base import KINDS, Statement

# Importing a file declares its kinds. Documents and schemas list the kinds in this order.
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
