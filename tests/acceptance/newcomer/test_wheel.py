"""What is built and installed: one name, the same bytes each time, beside a package that has our folders' names."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import deedlog

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("registry", "anchor", "api")
UV = Path(sys.executable).with_name("uv")


def build(source, into, *targets, **started):
    """Build with the back end that pyproject.toml names, as pip does, and return what was built by its ending."""
    options = [option for target in targets for option in ("-t", target)]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", *options, "-d", into],
        cwd=source,
        check=True,
        capture_output=True,
        **started,
    )
    return {path.suffix: path for path in into.iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel (`.whl`) and the source distribution (`.gz`) of this tree."""
    return build(ROOT, tmp_path_factory.mktemp("built"))


def code_files():
    """Every file of the packages under the name it has when it is installed."""
    found = {"deedlog/__init__.py", "deedlog/client.py", "deedlog/py.typed"}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                found.add(f"deedlog/{path.relative_to(ROOT)}")
    return found


def test_the_wheel_has_every_file_of_the_packages_under_one_name(built):
    names = zipfile.ZipFile(built[".whl"]).namelist()
    assert len(set(names)) == len(names)
    described = f"deedlog-{deedlog.__version__}.dist-info/"
    assert {name for name in names if not name.startswith(described)} == code_files()
    assert f"{described}licenses/LICENSE" in names


def test_the_source_distribution_has_each_file_once_and_what_a_reader_needs(built):
    with tarfile.open(built[".gz"]) as archive:
        assert all(member.isfile() for member in archive)
        names = [member.name.partition("/")[2] for member in archive]
    assert len(set(names)) == len(names)
    assert code_files() == {name for name in names if name.startswith("deedlog/")}
    contracts = {str(path.relative_to(ROOT)) for path in ROOT.glob("contracts/**/*.sol")}
    documents = {str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md")}
    beside = {name for name in names if not name.startswith("deedlog/")}
    readable = {"README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md"}
    assert beside == contracts | documents | readable | {"pyproject.toml", ".gitignore", "PKG-INFO"}


def test_the_source_distribution_builds_the_same_wheel(built, tmp_path):
    with tarfile.open(built[".gz"]) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    again = build(source, tmp_path / "again", "wheel")
    assert again[".whl"].read_bytes() == built[".whl"].read_bytes()


def test_two_builds_are_the_same_bytes(built, tmp_path):
    """From another folder, at another time, by somebody with another umask, time zone and language."""
    other = tmp_path / "another folder"
    other.mkdir()
    for path in sorted(ROOT.iterdir(), reverse=True):
        if path.is_file():
            shutil.copyfile(path, other / path.name)
    for folder in ("docs", "contracts", *FOLDERS, "deedlog"):
        shutil.copytree(ROOT / folder, other / folder, symlinks=True, copy_function=shutil.copyfile)
    for number, path in enumerate(sorted(other.rglob("*"))):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
            os.utime(path, (1_000_000_000 + number,) * 2)
    elsewhere = {"TZ": "Asia/Shanghai", "LC_ALL": "C", "PYTHONHASHSEED": "7", "HOME": str(tmp_path)}
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    again = build(other, tmp_path / "again", env=environment | elsewhere, umask=0o077)
    for ending, path in built.items():
        assert again[ending].name == path.name
        assert again[ending].read_bytes() == path.read_bytes()


NEIGHBOUR = {
    "pyproject.toml": """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "neighbour"
version = "1"
[tool.hatch.build.targets.wheel]
packages = ["api", "anchor", "registry"]
""",
    **{
        f"{folder}/{file}": f"OWNER = 'neighbour: {folder}/{file}'\n"
        for folder in FOLDERS
        for file in ("__init__.py", "text.py", "app.py")
    },
}
"""Another project, with packages of the names that our folders have in the repository."""


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory):
    """The wheel of the other project."""
    folder = tmp_path_factory.mktemp("neighbour")
    for name, text in NEIGHBOUR.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return build(folder, folder / "dist", "wheel")[".whl"]


@pytest.fixture(scope="module", params=[".whl", ".gz"], ids=["wheel", "source distribution"])
def installed(request, built, neighbour, tmp_path_factory):
    """An environment with the neighbour, then what was built: its folder of packages, and of programs.

    Our dependencies are those of the environment that runs this, by a line in a `.pth` file: nothing is downloaded.
    """
    environment = tmp_path_factory.mktemp("installed") / "environment"
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, environment], check=True)
    (packages,) = environment.glob("lib/python3.*/site-packages")
    (dependencies,) = Path(sys.executable).parents[1].glob("lib/python3.*/site-packages")
    (packages / "dependencies.pth").write_text(f"{dependencies}\n", "utf-8")
    install = [UV, "pip", "install", "-q", "--offline", "--no-deps", "--no-build-isolation"]
    for archive in (neighbour, built[request.param]):
        subprocess.run([*install, "--python", environment / "bin/python", archive], check=True)
    return packages, environment / "bin"


def test_only_one_name_is_installed(installed):
    packages, _ = installed
    described = packages / f"deedlog-{deedlog.__version__}.dist-info"
    with (described / "RECORD").open(encoding="utf-8", newline="") as lines:
        ours = {name for name, *_ in csv.reader(lines)}
    assert {name for name in ours if not name.startswith(f"{described.name}/")} == code_files() | {
        "../../../bin/deedlog"
    }
    theirs = {"neighbour-1.dist-info", *FOLDERS}
    tools = {"dependencies.pth", "_virtualenv.pth", "_virtualenv.py", "__pycache__"}
    assert {path.name for path in packages.iterdir()} - theirs - tools == {"deedlog", described.name}


def test_the_neighbour_is_as_it_was(installed):
    packages, programs = installed
    for name, text in NEIGHBOUR.items():
        if name != "pyproject.toml":
            assert (packages / name).read_text("utf-8") == text
    shown = "import api, deedlog.api, registry.text, deedlog.registry.text; print(api.OWNER, deedlog.__file__)"
    done = subprocess.run([programs / "python", "-c", shown], capture_output=True, text=True, check=True, cwd=packages)
    assert done.stdout == f"neighbour: api/__init__.py {packages / 'deedlog/__init__.py'}\n"


def test_it_verifies_there(installed, proven, tmp_path):
    packages, programs = installed
    (tmp_path / "my.deed").write_bytes(proven.bundle.format())
    (tmp_path / "video.mp4").write_bytes(b"not quite a video, but bytes are bytes")
    pins = ["--registry", "0x" + proven.registry.hex(), "--block-hash", "0x" + proven.block_hash.hex()]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*arguments):
        command = [programs / "deedlog", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)

    done = run("verify", "my.deed", "video.mp4", *pins, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["answers"]["anchored"]["answer"] == "yes"
    assert run("--version").stdout == f"deedlog, version {deedlog.__version__}\n"
    assert f"Version: {deedlog.__version__}\n" in (
        packages / f"deedlog-{deedlog.__version__}.dist-info/METADATA"
    ).read_text("utf-8")


def test_a_type_checker_sees_its_types(installed, tmp_path):
    _, programs = installed
    (tmp_path / "user.py").write_text(
        "from deedlog.registry.hexadecimal import to_hex\nreveal_type(to_hex(b'1'))\n", "utf-8"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", programs / "python", "user.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert 'Revealed type is "str"' in checked.stdout.replace("builtins.str", "str"), checked.stdout
    assert checked.returncode == 0, checked.stdout
