"""Logs: one line an event, for people or as JSON; an event about a statement carries its digest."""

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
"""How long a line may wait to be written; at the end of the process all are."""

LOGGERS = ("deedlog",)
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what else the event carries."""

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
    """One line of text: what an event carries stands behind its message as `name=value`; a traceback follows."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line."""
        carried = [f"{name}={value}" for name, value in vars(record).items() if name not in _PLAIN]
        return " ".join([super().formatMessage(record), *carried])


class Gathered(logging.StreamHandler[TextIO]):
    """Puts into words and writes what came within `GATHER_SECONDS` at once, in a thread of its own.

    A system call for each statement costs more than its line does. And where nobody reads the error stream, it is this
    thread that waits for them, with no more than `MOST` lines: those after them are lost, and their number is said.
    A line that says that something is wrong is written without waiting for others.
    """

    MOST = 100_000

    def __init__(self) -> None:
        """Write to the process's error stream, past Python's own, which writes each line by itself."""
        stream = open(2, "w", 1 << 16, encoding=sys.stderr.encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115 - a descriptor
        super().__init__(stream)
        self._records: deque[logging.LogRecord] = deque()
        self._lost = self._lost_said = 0
        self._writing = threading.RLock()
        self._due = threading.Event()
        self._urgent = threading.Event()
        threading.Thread(target=self._write_in_time, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line."""
        if len(self._records) < self.MOST:
            self._records.append(record)
        else:
            self._lost += 1
        if record.levelno >= logging.WARNING:
            self._urgent.set()
        if not self._due.is_set():
            self._due.set()

    def flush(self) -> None:
        """Write what was taken; a line that cannot be written stops nothing.

        The handler's own lock is not asked for here: whoever holds it, as `logging.shutdown` does, may be waiting for
        this to end.
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
        except Exception:  # noqa: BLE001 - as every handler
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
    """Write the log of this process to its error stream: each line at once, or `gathered` where there are many."""
    # Nothing is shown of what these look up for each line (Python's logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - as the HOWTO has it
    handler = Gathered() if gathered else logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else Lines("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)
