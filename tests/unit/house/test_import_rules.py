"""The import checker fails when a rule is broken: each contract is broken on purpose in a copy, one import at a time.

The imports follow from the contracts in pyproject.toml, so a new contract is tried as it is written; one of a type that
is not known here fails.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("registry", "anchor", "api")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
READS_WAITS_OR_DRAWS = (
    *("os", "io", "pathlib", "tempfile", "shutil", "time", "datetime", "random", "secrets", "uuid", "socket", "ssl"),
    *("urllib", "threading", "asyncio", "subprocess", "sqlite3", "logging", "importlib", "sys"),
    *("sqlalchemy", "sqlmodel", "alembic", "psycopg", "httpx", "requests", "web3", "fastapi", "starlette", "click"),
    *("deedlog.registry.keystore", "deedlog.registry.store.database", "deedlog.registry.acceptance.submission"),
    *("deedlog.anchor.rpc.json_rpc", "deedlog.anchor.log.key", "deedlog.anchor.audit", "deedlog.api.settings"),
)
"""Files, sockets, clocks, threads, environment, lots, SQL, HTTP, and our own modules that have to do with them."""


def broken_by(contract):
    """Return what breaks a contract: modules, each with what it must not import."""
    return BROKEN_BY[contract["type"]](contract)  # a KeyError: say how a contract of a new type is broken


def _broken_closed(contract):
    return [(module, READS_WAITS_OR_DRAWS) for module in contract["modules"]]


def _broken_layers(contract):
    (container,) = contract["containers"]
    floors = [re.split(r" [|:] ", layer) for layer in contract["layers"]]
    pairs = [(module, higher[0]) for higher, lower in itertools.pairwise(floors) for module in lower]
    for layer, names in zip(contract["layers"], floors, strict=True):
        if "|" in layer:
            pairs += itertools.permutations(names, 2)
    return [(f"{container}.{module}", (f"{container}.{other}",)) for module, other in pairs]


def _broken_forbidden(contract):
    return [(module, tuple(contract["forbidden_modules"])) for module in contract["source_modules"]]


BROKEN_BY = {"closed": _broken_closed, "layers": _broken_layers, "forbidden": _broken_forbidden}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the packages and of the contracts."""
    folder = tmp_path_factory.mktemp("copy")
    for name in (*PACKAGES, "deedlog"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore)
    (folder / "scripts").mkdir()
    for name in ("pyproject.toml", "scripts/closed_contract.py"):
        shutil.copyfile(ROOT / name, folder / name)
    return folder


def lint(folder):
    """Run the checker in a folder; return its exit code, what it says of each contract, and all that it says."""
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}  # before where this checkout is installed
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    said = dict(re.findall(r"^(.+) (KEPT|BROKEN)\b.*$", done.stdout, re.MULTILINE))
    return done.returncode, said, done.stdout + done.stderr


def file_of(folder, module):
    path = folder / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_every_contract_is_kept(copy):
    code, said, everything = lint(copy)
    assert code == 0, everything
    assert said == {contract["name"]: "KEPT" for contract in CONTRACTS}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["name"])
def test_each_import_that_breaks_a_contract_is_found(copy, contract):
    bad = [(file_of(copy, module), module, names) for module, names in broken_by(contract)]
    assert bad
    texts = {path: path.read_text("utf-8") for path, *_ in bad}
    expected = []
    try:
        for path, module, names in bad:
            for name in names:
                line = len(path.read_text("utf-8").splitlines()) + 1
                with path.open("a", encoding="utf-8") as file:
                    file.write(f"import {name}\n")
                expected.append(f"{module} -> {name} (l.{line})")
        code, said, everything = lint(copy)
    finally:
        for path, text in texts.items():
            path.write_text(text, "utf-8")
    assert code == 1
    assert said[contract["name"]] == "BROKEN"
    headings = "|".join(re.escape(each["name"]) for each in CONTRACTS)
    _, *sections = re.split(rf"^({headings})\n-+\n", everything, flags=re.MULTILINE)
    shown = dict(zip(sections[::2], sections[1::2], strict=True))[contract["name"]]
    for found in expected:
        assert found in shown


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("line", ["import {}", "from {} import errors", "import {}.errors as e"])
def test_a_package_has_one_name(package, line):
    """In a checkout `import registry` would work too, and load everything a second time under another name."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise", "--stdin-filename"]
    for place in ("tests/unit/test_of_something.py", "registry/text.py", "scripts/demo.py"):
        done = subprocess.run(
            [*command, place, "-"], input=line.format(package), cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert f"TID251 `{package}` is banned" in done.stdout or f"TID251 `{package}.errors` is banned" in done.stdout


def test_each_file_is_checked_once():
    """By ruff, which could find it through `deedlog/` too."""
    command = [sys.executable, "-m", "ruff", "check", "--show-files"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [Path(line).resolve() for line in shown]
    assert len(found) == len(set(found))
    assert {ROOT / "registry/text.py", ROOT / "anchor/merkle.py", ROOT / "api/app.py"} <= set(found)
