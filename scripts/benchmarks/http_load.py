"""A compiled HTTP client: sends prepared requests over keep-alive connections and checks every answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = Path(__file__).with_name("load.c")


def compiled(folder: Path) -> Path:
    """Compile the client into `folder` with the system's C compiler (`CC`, or `cc`); return its path."""
    compiler = os.environ.get("CC", "cc")
    if shutil.which(compiler) is None:
        sys.exit(f"{compiler}: not found. The load generator is compiled: install a C compiler, or set CC.")
    binary = folder / "load"
    subprocess.run([compiler, "-O2", "-std=gnu11", "-Wall", "-Wextra", "-o", binary, SOURCE], check=True)
    return binary


def write_requests(path: Path, bodies: Sequence[bytes], target: str, authorization: str) -> None:
    """Write POST requests with these bodies to `target`, each with its length in front, for the client to read."""
    with path.open("wb") as file:
        for body in bodies:
            head = (
                f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Authorization: {authorization}\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode()
            file.write((len(head) + len(body)).to_bytes(4, "little") + head + body)


def rate(client: Path, port: int, connections: int, warm: int, requests: Path, status: int) -> float:
    """Send the requests; return the answers per second after the first `warm`. Exits if an answer's status differs."""
    command = [str(client), str(port), str(connections), str(warm), str(requests)]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if said["statuses"] != {str(status): said["requests"]}:
        sys.exit(f"load: not every answer was {status}: {said['statuses']}")
    return float(said["rate"])
