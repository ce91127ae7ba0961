"""schemathesis against every operation of the OpenAPI document: good data, bad data, coverage of each constraint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = 4
"""Drawn for each operation, each with good and with bad data, beside those for each constraint of the schema."""

EXAMPLES_SLOW = 150

# A statement that fits the schema is refused all the same: nobody can draw a signature.
LEFT_OUT = "positive_data_acceptance"


def attack(site, folder, *options):
    command = Path(sys.executable).with_name("schemathesis")
    authorization = site.platform.headers["Authorization"]
    fixed = ("--checks", "all", "--exclude-checks", LEFT_OUT, "--continue-on-failure", "--no-color")
    done = subprocess.run(
        [command, "run", f"{site.local.url}/openapi.json", "-H", f"Authorization: {authorization}", *fixed, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    operations = sum(len(operations) for operations in site.anyone.get("/openapi.json").json()["paths"].values())
    assert f"Tested: {operations}" in done.stdout


def test_no_request_drawn_from_the_document_fails_the_registry_or_surprises_the_asker(site, tmp_path):
    attack(site, tmp_path, "--phases", "examples,coverage,fuzzing", "-n", str(EXAMPLES), "--seed", "1")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_request_of_a_long_run_fails_the_registry(site, tmp_path):
    attack(site, tmp_path, "--phases", "examples,coverage,fuzzing,stateful", "-n", str(EXAMPLES_SLOW))
