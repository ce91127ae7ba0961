"""`deedlog worker`: sequence and anchor until stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import click

from deedlog.api.cli.common import say

if TYPE_CHECKING:
    from types import FrameType


def _watch_stdin(stopping: threading.Event) -> None:
    """Set `stopping` when standard input ends. A killed parent sends no signal, but its end of the pipe closes."""
    with contextlib.suppress(OSError):
        # Not `sys.stdin.read`: a thread that waits there holds a lock, which aborts the interpreter at its end.
        while os.read(sys.stdin.fileno(), 1024):
            pass
    stopping.set()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Log one JSON object a line.")
@click.option("--until-stdin-ends", is_flag=True, hidden=True, help="Stop when whoever started this is gone.")
@click.pass_obj
def command(language: str, as_json: bool, until_stdin_ends: bool) -> None:  # noqa: FBT001 - click's flags
    """Sequence and anchor, unless another worker does. The only process that opens the log key and the operator key."""
    from deedlog.api import logs  # noqa: PLC0415 - for long-running processes only
    from deedlog.api.settings import read_settings  # noqa: PLC0415 - the platform's packages, not the base install's
    from deedlog.api.worker import Worker  # noqa: PLC0415

    logs.start(as_json=as_json)
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    # Install the handlers first: opening the keys takes a while, and a stop during that time is not a failure.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if until_stdin_ends:
        threading.Thread(target=_watch_stdin, args=(stopping,), daemon=True).start()
    worker = Worker(read_settings(), stopping, language)
    if not as_json:
        say(language, "cli.worker.started")
    worker.run()
