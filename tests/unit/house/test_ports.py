"""Ports of the tests and of `scripts/run`: one process has a port, until it ends."""

from __future__ import annotations

import subprocess
import sys

import ports
from local_registry import ROOT

TAKE_ONE = "import ports, sys; print(ports.free_port(), flush=True); sys.stdin.read()"


def test_a_port_is_given_to_no_other_process_until_its_own_ends():
    command = [sys.executable, "-c", TAKE_ONE]
    with subprocess.Popen(
        command, cwd=ROOT / "scripts", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        port = int(other.stdout.readline())
        assert not ports.in_use("127.0.0.1", port), "nothing listens there yet"
        assert not ports._lock(port)
    assert ports._lock(port)


def test_a_process_gets_each_port_once(monkeypatch):
    monkeypatch.setattr(ports, "_PORTS", range(ports._PORTS.start, ports._PORTS.start + 40))
    found = [ports.free_port() for _ in range(5)]
    assert len(set(found)) == 5
