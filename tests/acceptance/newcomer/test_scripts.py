"""`scripts/run`: the demo tells its story to the end; the registry stays up, stops wholly, and carries on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from ports import free_port
from support.worlds.registries.registry_world import ALICE, work
from support.worlds.session.waiting import PATIENCE, until

from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import sign
from deedlog.registry.statements.typed_data import typed_data

ROOT = Path(__file__).resolve().parents[3]


def run_demo(*arguments):
    return subprocess.run([ROOT / "scripts/run", "--demo", *arguments], capture_output=True, text=True, check=False)


def test_the_demo_holds_to_its_end():
    done = run_demo()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every step held." in done.stdout
    assert done.stdout.index("does not answer any more") < done.stdout.index("checked offline")


@pytest.mark.slow
def test_the_demo_takes_a_file_of_ones_own(tmp_path):
    video = tmp_path / "给定.mp4"
    video.write_bytes(os.urandom(70_000))
    done = run_demo(str(video))
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def staying_up(data, port):
    process = subprocess.Popen(
        [ROOT / "scripts/run", "--data", data, "--port", str(port), "--anchor-interval", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # What is started in a script's background ignores it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread runs here
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "carries on" in line:
            break
    else:
        pytest.fail("".join(lines))
    try:
        yield "".join(lines)
    finally:
        process.send_signal(signal.SIGINT)
        said = process.stdout.read()
        assert process.wait(PATIENCE) == 0, said
    remaining = subprocess.run(["pgrep", "-f", str(data)], capture_output=True, text=True, check=False).stdout
    assert remaining == "", "something that it started is still there"


def test_it_stays_up_stops_wholly_and_carries_on(tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with staying_up(tmp_path / "data", port) as said:
        assert url in said
        identity = httpx.get(f"{url}/v1/registry").json()
        registry = bytes.fromhex(identity["address"][2:])
        statement = work()
        signature = sign(statement.digest(domain_separator(registry)), ALICE)
        body = {
            "typed_data": typed_data(statement, registry),
            "signatures": [{"account": to_hex(signature.account), "signature": to_hex(signature.signature)}],
        }
        digest = httpx.post(f"{url}/v1/statements", json=body).raise_for_status().json()["digest"]
        first = until_anchored(url, digest)
    with staying_up(tmp_path / "data", port):
        assert httpx.get(f"{url}/v1/registry").json() == identity
        again = httpx.get(f"{url}/v1/statements/{digest}").json()
        assert again["log_index"] == first["log_index"]
        assert again["anchors"] == first["anchors"]
        second = work(content=b"after the restart")
        signature = sign(second.digest(domain_separator(registry)), ALICE)
        body = {
            "typed_data": typed_data(second, registry),
            "signatures": [{"account": to_hex(signature.account), "signature": to_hex(signature.signature)}],
        }
        later = httpx.post(f"{url}/v1/statements", json=body).raise_for_status().json()["digest"]
        assert until_anchored(url, later)["anchors"][0]["size"] == 2
    record = json.loads((tmp_path / "data/deployments/31337.json").read_text("utf-8"))
    assert record["address"] == identity["address"].lower()


def until_anchored(url, digest):
    def final():
        shown = httpx.get(f"{url}/v1/statements/{digest}").json()
        return shown if shown["state"] == "final" else None

    return until(final, "anchored, and final")
