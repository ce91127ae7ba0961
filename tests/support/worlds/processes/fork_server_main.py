"""The fork server: a program that has imported all of `deedlog` and forks a process for each request.

A request is one JSON object a line: {"number", "arguments", "environment", "folder", "stdin", "stdout", "stderr"}: what
`deedlog` is called with, all of its environment, where it works, and the files of its streams. The answers are
{"request", "pid"} and, at the end of a process, {"pid", "code"}. A fork starts in a hundredth of the time that the
imports take, and is a process like any other: its memory, connections and locks are its own, and all of them end with
it. `fork_server.ForkServer` speaks to this program.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import selectors
import signal
import sys
import time
import traceback

import uvicorn

import deedlog.api.app
import deedlog.api.cli
import deedlog.api.cli.operator.api_key
import deedlog.api.cli.operator.init
import deedlog.api.cli.operator.serve
import deedlog.api.cli.operator.worker
import deedlog.api.cli.register
import deedlog.api.cli.verify
import deedlog.api.worker


def become(request, prepare) -> None:
    """Be `deedlog`, called as the request says, once `prepare` has seen it; does not return."""
    code = 0
    try:
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        os.dup2(os.open(request["stdin"], os.O_RDONLY), 0)
        for standard, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), standard)
        os.environ.clear()
        os.environ.update(request["environment"])
        time.tzset()
        os.chdir(request["folder"])
        sys.argv = ["deedlog", *request["arguments"]]
        # A process that this one spawns loads what its main program loads: almost nothing, as `deedlog` itself.
        sys.modules["__main__"].__spec__ = importlib.util.find_spec("deedlog.api.cli.__main__")
        prepare(request)
        deedlog.api.cli.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - said, and told by the exit code
        traceback.print_exc()
        code = 1
    finally:
        with contextlib.suppress(OSError, ValueError):  # a full disk, a closed stream
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def keep_idle_connections() -> None:
    """Let web processes keep a connection that is idle until its client closes it.

    uvicorn closes it after five seconds, which is when httpx stops to use it: on a busy machine a test's request would
    meet a connection that is being closed.
    """
    plain = uvicorn.Config.__init__

    def patient(config, *arguments, **options) -> None:
        plain(config, *arguments, **({"timeout_keep_alive": 3600} | options))

    uvicorn.Config.__init__ = patient


def serve(prepare=lambda _request: None) -> None:
    """Fork a process for each request, and tell of their ends, until no more requests can come."""
    keep_idle_connections()
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(writing)
    requests = selectors.DefaultSelector()
    requests.register(0, selectors.EVENT_READ)
    requests.register(reading, selectors.EVENT_READ)
    unread = b""
    tell({"ready": True})
    while True:
        for key, _ in requests.select():
            if key.fd == reading:
                os.read(reading, 4096)
                continue
            data = os.read(0, 65_536)
            if not data:
                # Whoever asked is gone, perhaps without a word: nothing that was started may stay.
                os.killpg(0, signal.SIGKILL)
            *lines, unread = (unread + data).split(b"\n")
            for line in lines:
                request = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    become(request, prepare)
                tell({"pid": pid, "request": request["number"]})
        while ended := _ended():
            tell({"pid": ended[0], "code": os.waitstatus_to_exitcode(ended[1])})


def _ended():
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def tell(answer) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    serve()
