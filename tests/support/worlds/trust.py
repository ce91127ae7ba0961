"""Whom the tests trust on the network: nobody. No test speaks TLS, and each client would read all authorities.

That takes an HTTP client 50 ms, thousands of times, and a process that loads web3 several times that. What goes to the
network all the same, a package installer, is given what was trusted before.
"""

from __future__ import annotations

import os
from pathlib import Path

_FILE = "SSL_CERT_FILE"
_BEFORE = "DEEDLOG_TESTS_SSL_CERT_FILE"
"""Where what was trusted is handed on to the processes that share out the tests."""


def trust_nobody() -> None:
    """From now on trust, in this process and in those it starts, one certificate whose key is lost."""
    os.environ.setdefault(_BEFORE, os.environ.get(_FILE, ""))
    os.environ[_FILE] = str(Path(__file__).with_name("no_authority.pem"))


def trusting() -> dict[str, str]:
    """Return the environment of a process that goes to the network."""
    environment = {name: value for name, value in os.environ.items() if name != _FILE}
    return environment | ({_FILE: os.environ[_BEFORE]} if os.environ[_BEFORE] else {})
