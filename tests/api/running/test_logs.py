"""The log of a process that writes many lines: gathered, whole at its end, and never what stops the process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.worlds.session.waiting import PATIENCE

WRITE = """
import logging, os, signal, sys, time
from api import logs
logs.start(as_json=False, gathered=True)
log = logging.getLogger("deedlog.api.here")
"""


def run(script, **streams):
    return subprocess.run([sys.executable, "-c", WRITE + script], timeout=PATIENCE, check=False, **streams)


def written_while_running(script, count):
    """Return the first lines of a process that then waits, and would write no more before it ends."""
    command = [sys.executable, "-c", WRITE + script + "\nsys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            return messages(b"".join(process.stderr.readline() for _ in range(count)))
        finally:
            process.kill()


def messages(said):
    return [line.rsplit(" ", 1)[1] for line in said.decode().splitlines()]


def test_all_lines_are_written_in_order_before_the_process_ends():
    done = run("for number in range(5000): log.info('%d', number)", stderr=subprocess.PIPE)
    assert messages(done.stderr) == [str(number) for number in range(5000)]


def test_a_line_is_written_soon_although_nothing_comes_after_it():
    assert written_while_running("log.info('first')", 1) == ["first"]


def test_what_is_wrong_is_written_soon_with_all_before_it():
    script = f"logs.GATHER_SECONDS = {100 * PATIENCE}; log.info('first'); log.warning('second')"
    assert written_while_running(script, 2) == ["first", "second"]


def test_lines_are_gathered():
    script = "logs.GATHER_SECONDS = 1000; log.info('first'); os.kill(os.getpid(), signal.SIGKILL)"
    assert run(script, stderr=subprocess.PIPE).stderr == b""


def test_text_that_the_stream_cannot_hold_is_escaped():
    done = run("log.info('\\u4f5c\\ud800')", stderr=subprocess.PIPE, env={"PYTHONIOENCODING": "ascii"}, cwd=Path.cwd())
    assert messages(done.stderr) == ["\\u4f5c\\ud800"]


@pytest.mark.parametrize("level", ["info", "warning"])
@pytest.mark.parametrize("pause", [0, 0.3], ids=["at its end", "in time"])
def test_a_full_disk_stops_nothing(level, pause):
    script = f"for _ in range(3): log.{level}('x' * 100_000); time.sleep({pause})\nprint('went on', flush=True)"
    with Path("/dev/full").open("wb") as full:
        done = run(script, stdout=subprocess.PIPE, stderr=full)
    assert done.stdout == b"went on\n"
    assert done.returncode == 0


def test_no_error_stream_stops_nothing():
    done = run(
        "os.close(2); log.warning('lost'); log.info('lost'); print('went on', flush=True)", stdout=subprocess.PIPE
    )
    assert done.stdout == b"went on\n"


def test_a_line_that_cannot_be_put_into_words_stops_no_other():
    done = run("log.info('first'); log.info('%d', 'x'); log.info('last')", stderr=subprocess.PIPE)
    assert b"first" in done.stderr
    assert b"Logging error" in done.stderr
    assert b"last" in done.stderr


def test_the_end_of_the_process_waits_for_nobody_who_waits_for_it():
    # As `logging.shutdown` does: it holds the handler's lock and writes what is left, while the thread writes too.
    script = """
handler, = logging.getLogger().handlers
handler.acquire()
log.warning('first')
time.sleep(1)
log.warning('second')
handler.flush()
"""
    assert messages(run(script, stderr=subprocess.PIPE).stderr) == ["first", "second"]


@pytest.mark.parametrize("level", ["info", "warning"])
def test_an_error_stream_that_nobody_reads_holds_nothing_up(level):
    script = (
        "logs.Gathered.MOST = 1000\n"
        f"for _ in range(20):\n    time.sleep(0.02)\n    for _ in range(500): log.{level}('x' * 1000)\n"
        "print('went on', flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", WRITE.replace("False", "True", 1) + script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"went on\n"  # with a pipe of 64 KiB before it, full
        _, said = process.communicate(timeout=PATIENCE)
    lines = [json.loads(line) for line in said.splitlines()]
    lost = [line for line in lines if "lines" in line]
    assert {line["message"] for line in lost} == {"lines of the log were lost here: nobody read them"}
    assert len(lines) - len(lost) + sum(line["lines"] for line in lost) == 20 * 500
