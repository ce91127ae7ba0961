"""Commands write files in one way: `api/cli/outputs.py`."""

from __future__ import annotations

import ast
from pathlib import Path

COMMANDS = Path(__file__).resolve().parents[3] / "api/cli"
WRITES = {"write_private", "write_atomically", "check_writable", "write_bytes", "write_text", "open"}


def test_no_command_writes_a_file_by_itself():
    found = []
    for path in COMMANDS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None
            if isinstance(node, ast.ImportFrom):
                found += [(path.name, alias.name) for alias in node.names if alias.name in WRITES]
            elif name in WRITES:
                found.append((path.name, name))
    assert {name for name, _ in found} == {"outputs.py"}, found
