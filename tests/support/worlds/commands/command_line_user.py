"""A user of the command line: real `deedlog` processes, in a folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from deedlog.registry import keystore

if TYPE_CHECKING:
    from pathlib import Path

    from support.worlds.processes.fork_server import ForkServer


class CommandLineUser:
    """A user with their own folder. With a fork server, commands start without the cost of the imports."""

    def __init__(self, folder: Path, fork_server: ForkServer | None = None, **environment: str) -> None:
        self.folder = folder
        self.fork_server = fork_server
        self.environment = os.environ | {"DEEDLOG_HOME": str(folder / "home"), "DEEDLOG_LANG": "en"} | environment
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text("正确 马 电池 订书钉\n", "utf-8")

    def run(self, *arguments, given: str | None = None, **environment: str):
        if self.fork_server is not None:
            return self.fork_server.run(arguments, self.environment | environment, self.folder, given)
        return subprocess.run(
            [sys.executable, "-m", "deedlog.api.cli", *map(str, arguments)],
            env=self.environment | environment,
            input=given,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            cwd=self.folder,
        )

    def new_key(self):
        done = self.run("key", "new", "--backup", "stick/", "--passphrase-file", self.passphrase, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def cheap_key(self):
        """Have a key whose file is opened at once, for tests that open it often; `new_key` makes a real one."""
        passphrase = self.passphrase.read_text("utf-8").strip()
        (self.folder / "home/keys").mkdir(parents=True, exist_ok=True)
        keystore.write(self.folder / "home/keys/default.json", keystore.new_key(), passphrase, cost=2**4)
