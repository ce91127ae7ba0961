"""Which certificate authorities the tests trust: none.

No test speaks TLS, and reading the system's authorities costs each HTTP client 50 ms, thousands of times, and a process
that loads web3 several times that. A package installer does go to the network; it gets the system's authorities back.
"""

from __future__ import annotations

import os
from pathlib import Path

_FILE = "SSL_CERT_FILE"
_BEFORE = "DEEDLOG_TESTS_SSL_CERT_FILE"
"""Hands the former value to the processes of pytest-xdist."""


def trust_no_authority() -> None:
    """Let this process and its children trust one certificate only, whose key is lost."""
    os.environ.setdefault(_BEFORE, os.environ.get(_FILE, ""))
    os.environ[_FILE] = str(Path(__file__).with_name("no_authority.pem"))


def environment_that_trusts() -> dict[str, str]:
    """Return an environment with the system's authorities, for a process that goes to the network."""
    environment = {name: value for name, value in os.environ.items() if name != _FILE}
    return environment | ({_FILE: os.environ[_BEFORE]} if os.environ[_BEFORE] else {})
