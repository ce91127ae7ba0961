"""How a `deedlog` command refuses: exit code 1, an error with a code on standard output, its text on standard error."""

from __future__ import annotations

import json

from deedlog.api.texts import text


def refused(done, code: str, english: str, chinese: str) -> None:
    """Assert that a command, called with `--lang zh` and `--json`, ended with this error and these words.

    The English text comes from the same code and parameters; a process for each would only take twice as long.
    """
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    assert chinese in done.stderr, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == code, error
    said = text("en", code, error["params"])
    assert english in said, said
    assert "<" not in said, "a parameter of the text was not given"
