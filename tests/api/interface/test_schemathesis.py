"""schemathesis against every operation of the OpenAPI document: good data, bad data, coverage of each constraint."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from deedlog.api.http.examples import EXAMPLE_KEY

EXAMPLES = 4
"""Drawn for each operation, each with good and with bad data, beside those for each constraint of the schema."""

EXAMPLES_SLOW = 150

# A statement that fits the schema is refused all the same: nobody can draw a signature.
LEFT_OUT = "positive_data_acceptance"


OF_PEOPLE = "^/v1/(agreements|drafts|events)"
"""The paths that need, or heed, a session."""

OF_NOBODY = ("POST /v1/drafts", "POST /v1/drafts/{digest}/signatures")
"""Of these, what asks for no session: the other test has it."""


def attack(site, folder, authorization, *options, paths="", but=()):
    command = Path(sys.executable).with_name("schemathesis")
    fixed = ("--checks", "all", "--exclude-checks", LEFT_OUT, "--continue-on-failure", "--no-color")
    fixed += ("--include-path-regex", paths) if paths else ()
    fixed += tuple(word for name in but for word in ("--exclude-name", name))
    done = subprocess.run(
        [command, "run", f"{site.local.url}/openapi.json", "-H", f"Authorization: {authorization}", *fixed, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    document = site.anyone.get("/openapi.json").json()["paths"]
    operations = sum(len(operations) for path, operations in document.items() if re.search(paths, path)) - len(but)
    assert f"Tested: {operations}" in done.stdout


def test_no_request_drawn_from_the_document_fails_the_registry_or_surprises_the_asker(site, tmp_path):
    key = site.platform.headers["Authorization"]
    attack(site, tmp_path, key, "--phases", "examples,coverage,fuzzing", "-n", str(EXAMPLES), "--seed", "1")


def test_no_request_of_somebody_who_has_signed_in_fails_the_registry(site, tmp_path):
    session = site.sign_in(EXAMPLE_KEY)["Authorization"]
    phases = ("--phases", "examples,coverage", "--seed", "1")
    attack(site, tmp_path, session, *phases, paths=OF_PEOPLE, but=OF_NOBODY)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_request_of_a_long_run_fails_the_registry(site, tmp_path):
    key = site.platform.headers["Authorization"]
    attack(site, tmp_path, key, "--phases", "examples,coverage,fuzzing,stateful", "-n", str(EXAMPLES_SLOW))
