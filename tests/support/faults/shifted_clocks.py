"""Processes of `deedlog` whose clock is wrong: `fork_server_main`, and a request's `ahead`, the seconds of the shift.

Only the process is deceived: a database server, another process and a chain keep the right time.
"""

from __future__ import annotations

from support.worlds.processes import fork_server_main

from deedlog.registry import times


def shift(request) -> None:
    """Let this process's clock be wrong."""
    plain, ahead = times.now, int(request["ahead"])
    times.now = lambda: plain() + ahead


if __name__ == "__main__":
    fork_server_main.serve(shift)
