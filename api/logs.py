"""Logs: one line per event, as text or as JSON. An event about a statement carries the statement's digest."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
from collections import deque
from typing import TextIO

from deedlog.registry import times

GATHER_SECONDS = 0.1
"""How long a line may wait before it is written. At the end of the process all lines are written."""

LOGGERS = ("deedlog",)
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, message, and the event's extra values."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = {
            "time": times.show_milliseconds(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        said |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)


class Lines(logging.Formatter):
    """One line of text: the message, then the event's extra values as `name=value`. A traceback follows."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line."""
        carried = [f"{name}={value}" for name, value in vars(record).items() if name not in _PLAIN]
        return " ".join([super().formatMessage(record), *carried])


class Gathered(logging.StreamHandler[TextIO]):
    """Formats and writes the lines of each `GATHER_SECONDS` together, in a separate thread.

    A system call for each statement would cost more than formatting its line. If nobody reads the error stream, only
    this thread blocks, and at most `MOST` lines wait; further lines are dropped and counted in the log. Warnings and
    errors are written without this delay.
    """

    MOST = 100_000

    def __init__(self) -> None:
        """Write to the process's error stream directly: Python's own `sys.stderr` writes each line by itself."""
        stream = open(2, "w", 1 << 16, encoding=sys.stderr.encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115 - a descriptor
        super().__init__(stream)
        self._records: deque[logging.LogRecord] = deque()
        self._lost = self._lost_said = 0
        self._writing = threading.RLock()
        self._due = threading.Event()
        self._urgent = threading.Event()
        threading.Thread(target=self._write_in_time, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line."""
        if len(self._records) < self.MOST:
            self._records.append(record)
        else:
            self._lost += 1
        if record.levelno >= logging.WARNING:
            self._urgent.set()
        if not self._due.is_set():
            self._due.set()

    def flush(self) -> None:
        """Write the queued lines. A line that cannot be written is skipped.

        This does not take the handler's own lock: `logging.shutdown` holds that lock while it waits for this method.
        """
        with self._writing:
            for _ in range(len(self._records)):
                self._write(self._records.popleft())
            lost = self._lost - self._lost_said
            if lost:
                self._lost_said += lost
                self._write(_lost(lost))
            with contextlib.suppress(OSError, ValueError):
                self.stream.flush()

    def _write(self, record: logging.LogRecord) -> None:
        try:
            self.stream.write(self.format(record) + self.terminator)
        except Exception:  # noqa: BLE001 - like every logging handler
            self.handleError(record)

    def _write_in_time(self) -> None:
        while self._due.wait():
            self._urgent.wait(GATHER_SECONDS)
            self._due.clear()
            self._urgent.clear()
            self.flush()


def _lost(count: int) -> logging.LogRecord:
    said = "lines of the log were lost here: nobody read them"
    level = logging.WARNING
    made = {"name": __name__, "levelno": level, "levelname": "WARNING", "msg": said, "lines": count}
    return logging.makeLogRecord(made)


def start(*, as_json: bool, gathered: bool = False) -> None:
    """Log to this process's error stream: each line at once, or `gathered` for processes with many lines."""
    # Our formats show none of the values that these collect for each line (Python's logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - as the HOWTO recommends
    handler = Gathered() if gathered else logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else Lines("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)
