"""Backup and restore as docs/operations.md has them: the newest backup carries on, an older one is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from local_registry import ROOT
from support.worlds.databases.dialects import DIALECTS
from support.worlds.registries.forked_registry import forked_registry
from support.worlds.registries.registry_world import ALICE, request_body, work
from support.worlds.session.waiting import until

OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


def documented(name):
    """Return the commands of a block of the operations page."""
    return re.search(rf"<!-- run:{name} -->\n```\n(.*?)```", OPERATIONS, re.DOTALL)[1]


class Installation:
    """One registry, and its backups."""

    def __init__(self, folder, fork_server, postgres):
        database_url = None if postgres is None else postgres.new_database()
        self.folder = folder
        self.programs = [] if postgres is None else [str(postgres.programs)]
        self.database_url = database_url
        self.local = forked_registry(folder / "data", fork_server, database_url)

    def register(self, content):
        body = request_body(work(content=content), self.identity.address, ALICE)
        answer = httpx.post(f"{self.local.url}/v1/statements?wait=logged", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["digest"]

    def start(self):
        self.identity = self.local.start()

    def run(self, name, backup):
        kind = "sqlite" if self.database_url is None else "postgresql"
        backup.mkdir(exist_ok=True)
        url = (self.database_url or "").replace("+psycopg", "")
        environment = self.local.environment() | {
            "BACKUP": str(backup),
            "PGURL": url,
            "PATH": ":".join([*self.programs, str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        }
        subprocess.run(["bash", "-euc", documented(f"{name}-{kind}")], env=environment, check=True, cwd=self.folder)

    def why_the_worker_ends(self):
        done = self.local.fork_server.run(("worker",), self.local.environment(), self.folder)
        assert done.returncode == 65
        return done.stderr


@pytest.fixture(params=DIALECTS)
def installation(request, tmp_path, fork_server):
    postgres = None if request.param == "sqlite" else request.getfixturevalue("postgres")
    installation = Installation(tmp_path, fork_server, postgres)
    installation.start()
    try:
        yield installation
    finally:
        installation.local.stop()


def test_the_newest_backup_carries_on_and_an_older_one_is_refused(installation, tmp_path):
    first = installation.register(b"first")
    installation.run("backup", tmp_path / "older")
    second = installation.register(b"second")
    state = f"{installation.local.url}/v1/statements/{second}"
    until(lambda: httpx.get(state).json()["state"] in ("anchored", "final"), "anchored")
    installation.run("backup", tmp_path / "newest")
    installation.local.stop()

    installation.run("restore", tmp_path / "newest")
    installation.start()
    for digest in (first, second):
        assert httpx.get(f"{installation.local.url}/v1/statements/{digest}").status_code == 200
    installation.register(b"third")
    installation.local.stop()

    installation.run("restore", tmp_path / "older")
    assert "old backup" in installation.why_the_worker_ends()

    # Nor without the file that remembers what was signed: the contract remembers it too.
    (tmp_path / "data" / "log.pem.last-signed").unlink()
    installation.local.start_chain()
    assert "Restore a newer backup" in installation.why_the_worker_ends()
