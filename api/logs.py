"""Logs: one line an event, for people or as JSON; an event about a statement carries its digest."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

LOGGERS = ("api", "anchor", "registry")
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what else the event carries."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        said |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)


class Lines(logging.Formatter):
    """One line of text: what an event carries stands behind its message as `name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        carried = [f"{name}={value}" for name, value in vars(record).items() if name not in _PLAIN]
        return " ".join([super().format(record), *carried])


def start(*, as_json: bool) -> None:
    """Write the log of this process to its error stream."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else Lines("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)
