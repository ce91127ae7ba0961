"""The person's own folder, with keys and signed statements."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Return the person's own folder: `DEEDLOG_HOME`, or `.deedlog` in the home folder."""
    return Path(os.environ.get("DEEDLOG_HOME") or Path.home() / ".deedlog")


def key_path(name: str) -> Path:
    """Return the key file with this name in the person's folder; a path is returned as it is."""
    return Path(name) if os.sep in name or name.endswith(".json") else home() / "keys" / f"{name}.json"
