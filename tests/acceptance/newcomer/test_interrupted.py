"""`scripts/run`, stopped at any moment: no traceback, an exit code that says so, and no process left behind.

What descends from `scripts/run` is known by a mark in its environment, or by the data folder in its command: anvil, web
process and worker alike, and npm and pip during the set-up.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import local_registry
import pytest
from ports import free_port
from support.worlds.session.tls_trust import environment_that_trusts
from support.worlds.session.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[3]
SHELL = str(ROOT / "scripts/run")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


class Run:
    """One run of `scripts/run` in a session of its own, as a terminal has one, and all that descends from it."""

    def __init__(self, folder, *arguments, shell=SHELL, script=None):
        self.folder = folder
        self.mark = f"DEEDLOG_TEST_MARK={secrets.token_hex(8)}"
        name, _, value = self.mark.partition("=")
        command = [shell, *map(str, arguments)] if script is None else ["bash", "-c", script]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # As a terminal starts it; these tests may themselves run where Ctrl-C is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread runs here
            env=environment_that_trusts() | {name: value, "TMPDIR": str(folder)},  # it may set everything up first
        )
        self.said = ""

    def until(self, words):
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return
        pytest.fail(f"never said {words!r}: {self.said}")

    def press_ctrl_c(self):
        os.killpg(self.process.pid, signal.SIGINT)

    def ends(self, *codes):
        """All that it started has ended when it has: nothing is waited for afterwards."""
        self.said += self.process.stdout.read()
        code = self.process.wait(PATIENCE)
        left = self.left()
        assert "Traceback" not in self.said, self.said
        assert left == {}, left
        assert code in codes, (code, self.said)

    def left(self):
        """Return the processes that descend from it: number and command."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                environment, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
                ours = self.mark.encode() in environment or f"{self.folder}/".encode() in command
                if ours and command:  # a zombie has none
                    found[int(entry.name)] = command.replace(b"\0", b" ").decode("utf-8", "replace")
        return found

    def kinds(self):
        """Return which of the registry's processes are there."""
        commands = self.left().values()
        return {
            kind
            for kind in ("anvil", "deedlog.api.cli serve", "deedlog.api.cli worker")
            if any(kind in each for each in commands)
        }


@pytest.fixture
def running(tmp_path):
    runs = []

    def begin(*arguments, **options):
        runs.append(Run(tmp_path, *arguments, **options))
        return runs[-1]

    yield begin
    for run in runs:
        for process in run.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        run.process.wait()


def registry(tmp_path, port=None):
    return ("--data", tmp_path / "data", "--port", port or free_port(), "--anchor-interval", "1")


ENDINGS = [("ctrl-c", 130), ("term", 143)]
PHASES = ["starting a local chain", "creating the registry", "deploying the contract", "starting the registry"]


def each_once(moments):
    """Pair each moment with one ending, in turn; the other pairs take long."""
    for number, moment in enumerate(moments):
        for turn, (ending, code) in enumerate(ENDINGS):
            yield pytest.param(moment, ending, code, marks=[] if turn == number % 2 else pytest.mark.slow)


def tell(run, ending):
    if ending == "ctrl-c":
        run.press_ctrl_c()
    else:
        run.process.terminate()


@pytest.mark.parametrize(("phase", "ending", "code"), each_once(PHASES))
def test_stopped_while_it_starts(running, tmp_path, phase, ending, code):
    run = running(*registry(tmp_path))
    run.until(phase)
    tell(run, ending)
    run.ends(code)


@pytest.mark.parametrize(("milliseconds", "ending", "code"), each_once([0, 20, 60, 150, 400, 900]))
def test_stopped_in_its_first_second(running, tmp_path, milliseconds, ending, code):
    """Bash, then the set-up that has nothing to do, then Python, which imports: wherever it happens to be."""
    run = running(*registry(tmp_path))
    time.sleep(milliseconds / 1000)
    tell(run, ending)
    # Bash itself, before it has come as far as to say what it does at a signal, ends by it.
    run.ends(code, 128 - code)


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "code"), ENDINGS)
@pytest.mark.parametrize("step", ["A registry:", "starting the registry", "$ deedlog key new", "$ deedlog register"])
def test_the_demo_stopped_at_a_step(running, step, ending, code):
    run = running("--demo")
    run.until(step)
    tell(run, ending)
    run.ends(code)


def test_in_a_scripts_background_sigterm_stops_it(running, tmp_path):
    arguments = " ".join(map(str, registry(tmp_path)))
    # A shell that is not interactive starts it with SIGINT ignored.
    run = running(script=f"{SHELL} {arguments} & echo its number is $!; wait $!; echo ended with $?; sleep 0")
    run.until("is up at")
    run.press_ctrl_c()
    number = int(re.search(r"its number is (\d+)", run.said)[1])
    assert run.kinds() == {"anvil", "deedlog.api.cli serve", "deedlog.api.cli worker"}
    os.kill(number, signal.SIGTERM)
    run.process.stdout.read()
    until(lambda: not run.left(), run.left)


def test_a_second_run_on_one_folder_is_refused_and_a_third_goes_on_where_the_first_was_killed(running, tmp_path):
    port = free_port()
    first = running(*registry(tmp_path, port))
    first.until("is up at")
    before = set(first.left())
    second = running(*registry(tmp_path))
    said = second.process.stdout.read()
    assert second.process.wait(PATIENCE) == 1
    assert f"{tmp_path / 'data'} is in use by process" in said
    assert f"http://127.0.0.1:{port}" in said
    assert "choose another folder with --data" in said
    assert "starting" not in said
    assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    assert set(first.left()) == before
    holder = int(re.search(r"process (\d+)", said)[1])
    # Killed, it cannot stop what it started, nor free anything: the system does both.
    os.kill(holder, signal.SIGKILL)
    first.process.wait(PATIENCE)
    port = free_port()
    third = running(*registry(tmp_path, port))
    third.until("is up at")
    ready = httpx.get(f"http://127.0.0.1:{port}/readyz")
    assert (ready.status_code, ready.json()["checks"]["sequencer"]) == (200, True)
    assert third.kinds() == {
        "anvil",
        "deedlog.api.cli serve",
        "deedlog.api.cli worker",
    }  # what is looked for below can be found
    third.press_ctrl_c()
    third.ends(0)


def test_if_scripts_run_itself_is_killed_all_it_started_stops(running, tmp_path):
    run = running(*registry(tmp_path))
    run.until("is up at")
    run.process.kill()
    run.process.stdout.read()  # ends when the last process that could write has ended
    assert run.left() == {}


def test_help_needs_no_set_up_and_names_every_option(tmp_path):
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    named = {name for action in local_registry.options()._actions for name in action.option_strings}
    for arguments in (["--help"], ["-h"], ["--demo", "--help"], ["--port", "9", "--help"]):
        done = subprocess.run(
            [tmp_path / "scripts/run", *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "scripts/run --demo [VIDEO]" in done.stdout
        assert named <= {"-h", *re.findall(r"--[\w-]+", done.stdout)}
    assert {path.name for path in tmp_path.iterdir()} == {"scripts"}
    # What is no option is refused by name, with or without the demo.
    done = subprocess.run(
        [SHELL, "--demo", "--nonsense"], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 2
    assert "--nonsense" in done.stderr


SET_UP = ["making .venv", "installing uv", "installing Python packages", "installing node packages"]


@pytest.mark.slow
def test_a_set_up_that_was_stopped_leaves_nothing_running_and_can_be_finished(running, tmp_path):
    fresh = tmp_path / "fresh"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in files.decode("utf-8").rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, fresh / name)
    for number, phase in enumerate(SET_UP):
        run = running("--data", tmp_path / "data", shell=str(fresh / "scripts/run"))
        run.until(phase)
        time.sleep(0.3)  # a little way into it; wherever that is
        ending, code = ENDINGS[number % 2]
        tell(run, ending)
        run.ends(code)
    subprocess.run([fresh / "scripts/setup"], env=environment_that_trusts(), check=True, capture_output=True)
    done = subprocess.run([fresh / ".venv/bin/deedlog", "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads((fresh / "node_modules/.package-lock.json").read_text("utf-8"))["packages"]
