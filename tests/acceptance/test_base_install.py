"""The base install alone verifies a bundle: no package of the platform is present."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = ("web3", "fastapi", "sqlmodel", "sqlalchemy", "alembic", "pydantic_settings", "uvicorn", "limits", "ape")


def test_the_base_install_verifies_without_the_platform(proven, tmp_path):
    uv = Path(sys.executable).with_name("uv")
    wheels = tmp_path / "wheels"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    wheel = next(wheels.glob("deedlog-*.whl"))
    environment = tmp_path / "base"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [uv, "pip", "install", "-q", "--python", python, "-c", ROOT / "requirements.lock", wheel], check=True
    )
    for package in PLATFORM:
        missing = subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False)
        assert missing.returncode == 1, f"{package} is in the base install"
    bundle, file = tmp_path / "my.deed", tmp_path / "video.mp4"
    bundle.write_bytes(proven.bundle.format())
    file.write_bytes(b"not quite a video, but bytes are bytes")
    pins = ["--registry", "0x" + proven.registry.hex(), "--block-hash", "0x" + proven.block_hash.hex()]
    done = subprocess.run(
        [environment / "bin" / "deedlog", "verify", bundle, file, *pins, "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["answers"]["anchored"]["answer"] == "yes"
    # Creators' commands load there too.
    for command in ("key", "register", "prove", "audit"):
        helped = subprocess.run([environment / "bin" / "deedlog", command, "--help"], capture_output=True, check=False)
        assert helped.returncode == 0, helped.stderr
