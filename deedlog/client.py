"""A client of a registry, in one import: `from deedlog.client import Registry`. The code is in `deedlog.api.client`."""

from deedlog.api.client.answers import (
    Draft,
    Event,
    PaidReport,
    Party,
    Payouts,
    Progress,
    Proof,
    Receipt,
    StatementRecord,
)
from deedlog.api.client.registry import Registry
from deedlog.api.client.signed_statement import SignedStatement
from deedlog.registry.bounded_http import FetchError
from deedlog.registry.errors import DeedlogError, InvalidData, Unavailable, VerificationError
from deedlog.registry.statements import (
    Agreement,
    Cancellation,
    Claim,
    Contribution,
    Countersignature,
    Rendition,
    RevenueReport,
    Rotation,
    Share,
    Termination,
    Upload,
    Work,
)
from deedlog.registry.statements.signatures import Signature
from deedlog.registry.statements.vocabulary import NONE

__all__ = [
    "NONE",
    "Agreement",
    "Cancellation",
    "Claim",
    "Contribution",
    "Countersignature",
    "DeedlogError",
    "Draft",
    "Event",
    "FetchError",
    "InvalidData",
    "PaidReport",
    "Party",
    "Payouts",
    "Progress",
    "Proof",
    "Receipt",
    "Registry",
    "Rendition",
    "RevenueReport",
    "Rotation",
    "Share",
    "Signature",
    "SignedStatement",
    "StatementRecord",
    "Termination",
    "Unavailable",
    "Upload",
    "VerificationError",
    "Work",
]
