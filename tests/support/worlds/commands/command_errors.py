"""How a `deedlog` command refuses: an exit code, an error's code on standard output, its text on standard error."""

from __future__ import annotations

import json

from deedlog.api.texts import text

NO_ANSWER = 64
"""The first exit code that is no answer about what was checked."""


def refused(done, code: str, english: str, chinese: str, exit_code: int | None = None) -> None:
    """Assert that a command, called with `--lang zh` and `--json`, ended with this error and these words.

    `exit_code`: by default any that is no answer; `test_exit_codes` has which.

    The English text comes from the same code and parameters; a process for each would only take twice as long.
    """
    expected = done.returncode >= NO_ANSWER if exit_code is None else done.returncode == exit_code
    assert expected, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    assert chinese in done.stderr, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == code, error
    said = text("en", code, error["params"])
    assert english in said, said
    assert "<" not in said, "a parameter of the text was not given"
