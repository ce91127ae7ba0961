"""The base install alone verifies a bundle: no package of the platform is present, and what needs one says so."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support.worlds.session.tls_trust import environment_that_trusts

from deedlog.api.cli import PLATFORM as PLATFORM_MODULES

ROOT = Path(__file__).resolve().parents[3]
NEEDED = {"click": "click", "coincurve": "coincurve", "cryptography": "cryptography", "httpx": "httpx"}
NEEDED |= {"jinja2": "jinja2", "safe-pysha3": "sha3"}
"""The packages that the base install asks for, and the module of each: docs/adr/0009 has the reasons."""

THEIRS = {"anyio", "certifi", "cffi", "h11", "httpcore", "idna", "markupsafe", "pycparser"}
"""What those need in their turn."""

BY_VERSION = {"typing-extensions"} if sys.version_info < (3, 13) else set()
"""What anyio needs on some versions of Python."""

PLATFORM = ("web3", "fastapi", "sqlmodel", "sqlalchemy", "alembic", "pydantic_settings", "uvicorn", "limits", "ape")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """An environment with the base install: the folder of its programs."""
    folder = tmp_path_factory.mktemp("base")
    uv = Path(sys.executable).with_name("uv")
    wheels = folder / "wheels"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    wheel = next(wheels.glob("deedlog-*.whl"))
    environment = folder / "base"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [uv, "pip", "install", "-q", "--python", python, "-c", ROOT / "requirements.lock", wheel],
        env=environment_that_trusts(),
        check=True,
    )
    return environment / "bin"


def test_the_base_install_asks_for_these_packages_alone():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {re.match(r"[a-z0-9-]+", each)[0] for each in project["dependencies"]} == set(NEEDED)


def test_the_base_install_is_these_packages_and_no_other(base):
    program = "import importlib.metadata as m; print(*(each.name for each in m.distributions()))"
    installed = subprocess.run([base / "python", "-c", program], capture_output=True, text=True, check=True).stdout
    names = {re.sub(r"[-_.]+", "-", name).lower() for name in installed.split()}
    assert names == {"deedlog"} | set(NEEDED) | THEIRS | BY_VERSION


def test_the_base_install_verifies_without_the_platform(base, proven, tmp_path):
    python = base / "python"
    for package in PLATFORM:
        missing = subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False)
        assert missing.returncode == 1, f"{package} is in the base install"
    bundle, file = tmp_path / "my.deed", tmp_path / "video.mp4"
    bundle.write_bytes(proven.bundle.format())
    file.write_bytes(b"not quite a video, but bytes are bytes")
    pins = ["--registry", "0x" + proven.registry.hex(), "--block-hash", "0x" + proven.block_hash.hex()]
    done = subprocess.run(
        [base / "deedlog", "verify", bundle, file, *pins, "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["answers"]["anchored"]["answer"] == "yes"
    # Creators' commands load there too.
    for command in ("key", "register", "prove", "audit"):
        helped = subprocess.run([base / "deedlog", command, "--help"], capture_output=True, check=False)
        assert helped.returncode == 0, helped.stderr
    # So does the client for platforms.
    asked = "from deedlog.client import Registry, Upload; print(Registry('http://127.0.0.1:1').url)"
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "http://127.0.0.1:1\n"), done.stderr


NEEDS_THE_PLATFORM = [
    ("serve",),
    ("serve", "--with-worker"),
    ("worker",),
    ("init", "--origin", "deeds.example.com/log", "--owner", "0x" + "12" * 20),
    ("api-key", "new", "platform"),
    ("api-key", "list"),
    ("api-key", "revoke", "1"),
    ("fsck",),
]
SAYS = {"en": "This command needs deedlog[platform].", "zh": "此命令需要 deedlog[platform]。"}


@pytest.mark.parametrize("arguments", NEEDS_THE_PLATFORM, ids=" ".join)
def test_a_command_of_the_platform_says_what_it_needs(base, tmp_path, arguments):
    def run(*given, **more):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [base / "deedlog", *given],
            env=environment | more,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    for language, words in SAYS.items():
        done = run("--lang", language, *arguments, "--json")
        assert done.returncode == 69, done.stderr
        assert "Traceback" not in done.stderr
        assert words in done.stderr
        assert "pip install '.[platform]'" in done.stderr
        error = json.loads(done.stdout)["error"]
        assert error["code"] == "platform.missing"
        assert error["params"]["package"] in PLATFORM_MODULES
        done = run(*arguments, DEEDLOG_LANG=language)
        assert (done.returncode, done.stdout) == (69, "")
        assert words in done.stderr
    assert list(tmp_path.iterdir()) == []
    helped = run(arguments[0], "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert arguments[0] in run("--help").stdout


def test_another_missing_module_is_not_taken_for_the_platform(tmp_path):
    """A package of the platform that lacks a part of its own, or needs what nobody has: the whole truth is shown."""
    (tmp_path / "limits").mkdir()
    for missing in ("limits.no_such_part", "no_such_module"):
        (tmp_path / "limits/__init__.py").write_text(f"import {missing}\n", "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "deedlog.api.cli", "serve", "--json"],
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 70
        assert f"No module named '{missing}'" in done.stderr
        assert "pip install" not in done.stderr + done.stdout


def test_every_package_of_the_platform_is_known_as_one():
    imported = set()
    for package in ("registry", "anchor", "api"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
                imported |= {name.partition(".")[0] for name in names}
    assert imported - set(NEEDED.values()) - {"deedlog", "httpcore"} - sys.stdlib_module_names == PLATFORM_MODULES
