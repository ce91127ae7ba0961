"""`ape run deploy` on a chain that ends with ape: a trial, which leaves the record of the chain that stays alone."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ports import free_port
from support.worlds.chains.anvil import running_anvil
from support.worlds.registries.registry_world import identity

ROOT = Path(__file__).resolve().parents[3]
KEPT = '{"of": "the chain that stays"}\n'


def deploy(folder, network, host, *more):
    environment = os.environ | {"APE_FOUNDRY_HOST": host, "APE_DATA_FOLDER": str(folder / "ape")}
    return subprocess.run(
        [ROOT / ".venv/bin/ape", "run", "deploy", "--network", network, "--identity", folder / "identity.json", *more],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def record(tmp_path):
    registry = identity(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    (tmp_path / "identity.json").write_text(json.dumps(registry.to_json()), "utf-8")
    path = tmp_path / "deployments/31337.json"
    path.parent.mkdir()
    path.write_text(KEPT, "utf-8")
    return path


def test_a_chain_that_ends_with_ape_is_not_written_down(record, tmp_path):
    done = deploy(tmp_path, "ethereum:local:foundry", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "deployed: block" in done.stdout
    assert "wrote nothing" in done.stdout
    assert "start anvil first" in done.stdout
    assert record.read_text("utf-8") == KEPT
    assert sorted(path.name for path in record.parent.iterdir()) == ["31337.json"]


def test_a_local_chain_that_stays_is_written_down_and_so_is_a_trial_where_one_says(record, tmp_path):
    trial = tmp_path / "trial.json"
    done = deploy(tmp_path, "ethereum:local:foundry", f"http://127.0.0.1:{free_port()}", "--out", trial)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(trial.read_text("utf-8"))["chain_id"] == 31337
    assert record.read_text("utf-8") == KEPT
    with running_anvil() as chain:
        done = deploy(tmp_path, "ethereum:local:foundry", chain.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(record.read_text("utf-8"))["chain_id"] == 31337
