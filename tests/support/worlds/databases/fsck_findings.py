"""What `fsck` finds wrong with a damaged database, and what of it an error names."""

from __future__ import annotations

import contextlib

import pytest

from deedlog.anchor.fsck.database import check_database
from deedlog.registry.errors import VerificationError


def checked(damaged, **more):
    with contextlib.closing(damaged.database()) as database:
        return check_database(database, damaged.identity, **more)


def what_is_wrong(damaged, **more):
    with pytest.raises(VerificationError) as caught:
        checked(damaged, **more)
    return caught.value


def named(error):
    """Return what an error names: table and column, or the code of the audit."""
    if error.code == "fsck.row":
        return error.params["table"], error.params["column"]
    return error.code


def place(error):
    """Return the table that an error names, or its code."""
    return str(error.params.get("table", error.code))
