"""The person's own folder, with keys and signed statements."""

from __future__ import annotations

import os
from pathlib import Path

from deedlog.registry.files import expanded


def home() -> Path:
    """Return the person's own folder: `DEEDLOG_HOME`, or `.deedlog` in the home folder."""
    given = os.environ.get("DEEDLOG_HOME")
    return expanded(Path(given)) if given else Path.home() / ".deedlog"


def key_folder() -> Path:
    """Return the folder of the person's keys."""
    return home() / "keys"


def key_path(name: str) -> Path:
    """Return the key file with this name in the person's folder; a path is returned as it is."""
    return expanded(Path(name)) if os.sep in name or name.endswith(".json") else key_folder() / f"{name}.json"
