"""Somebody who types `deedlog` commands: real processes, in a folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from deedlog.registry import keystore

if TYPE_CHECKING:
    from pathlib import Path

    from support.worlds.nursery import Nursery


class Person:
    """Somebody with a folder of their own; with a nursery, commands start in no time."""

    def __init__(self, folder: Path, nursery: Nursery | None = None, **environment: str) -> None:
        self.folder = folder
        self.nursery = nursery
        self.environment = os.environ | {"DEEDLOG_HOME": str(folder / "home"), "DEEDLOG_LANG": "en"} | environment
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text("正确 马 电池 订书钉\n", "utf-8")

    def run(self, *arguments, given: str | None = None, **environment: str):
        if self.nursery is not None:
            return self.nursery.run(arguments, self.environment | environment, self.folder, given)
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
        keystore.write(self.folder / "home/keys/default.json", keystore.new_key(), passphrase, cost=2**4)
