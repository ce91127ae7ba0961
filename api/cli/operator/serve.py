"""`deedlog serve`: the web process, which holds no key; `--with-worker` starts the worker beside it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import click

from deedlog.api.cli.common import say
from deedlog.registry.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

STOP_SECONDS = 20


@click.command()
@click.option("--with-worker", is_flag=True, help="Start the worker too, as a process of its own.")
@click.option("--host", help="Address to listen on (DEEDLOG_HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (DEEDLOG_PORT).")
@click.option("--json", "as_json", is_flag=True, help="Print the address, and each event of the log, as JSON.")
@click.pass_obj
def command(language: str, with_worker: bool, host: str | None, port: int | None, as_json: bool) -> None:  # noqa: FBT001 - click's flags
    """Serve the registry over HTTP until stopped."""
    import uvicorn  # noqa: PLC0415 - the platform's packages, not the base install's

    from deedlog.api import logs  # noqa: PLC0415
    from deedlog.api.app import create_app  # noqa: PLC0415
    from deedlog.api.http.connection_limits import BoundedConnection  # noqa: PLC0415
    from deedlog.api.settings import read_settings  # noqa: PLC0415

    logs.start(as_json=as_json, gathered=True)  # a line for each statement
    settings = read_settings()
    if host is not None:
        settings.host = host
    if port is not None:
        settings.port = port
    listener = _listen(settings.host, settings.port)
    settings.port = listener.getsockname()[1]  # with port 0 the system chose it
    app = create_app(settings)
    url = f"http://{settings.host}:{settings.port}"
    if as_json:
        click.echo(f'{{"url": "{url}"}}')
    else:
        say(language, "cli.serve.listening", url=url)
    # uvicorn raises the signal that stopped it again when it ends. This process must not end before the worker.
    signal.signal(signal.SIGTERM, _interrupt)
    config = uvicorn.Config(
        app,
        log_config=None,
        http=BoundedConnection,
        access_log=False,
        ws="none",  # an upgraded connection would escape the limits of BoundedConnection
        lifespan="on",
        # By default uvicorn trusts headers of any connection from this machine, so also of any client behind a proxy.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
    )
    with _worker() if with_worker else contextlib.nullcontext(), contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise Unavailable("serve.port", host=host, port=port, reason=error.strerror or str(error)) from error


@contextlib.contextmanager
def _worker() -> Iterator[None]:
    """Run the worker as a child process. If it ends by itself, this process ends too.

    Raises `Unavailable` (`serve.worker_ended`) if the worker's exit code is not 0.
    """
    command = [sys.executable, "-m", "deedlog.api.cli", "worker", "--until-stdin-ends"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 - our own command
    stopping = threading.Event()

    def watch() -> None:
        process.wait()
        if not stopping.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        stopping.set()
        process.terminate()
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    if code != 0:
        raise Unavailable("serve.worker_ended", exit_code=code)
