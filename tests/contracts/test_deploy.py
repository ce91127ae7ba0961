"""scripts/deploy.py: the contract at its registry address, once, read back, and written down."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import runpy
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from eth_account import Account
from eth_utils import to_checksum_address
from support.worlds.chains.anvil import running_anvil

from deedlog.anchor.contract import rights_anchor
from deedlog.anchor.evm.deployment import Deployment

if TYPE_CHECKING:
    from deedlog.anchor.evm.identity import RegistryIdentity

ROOT = Path(__file__).resolve().parents[2]
SEPOLIA = 11_155_111
NOBODYS = bytes(range(1, 21))
"""An account that is none of anvil's: as owner and operator of a registry on a public chain."""


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(ROOT / "scripts" / "deploy.py"))


@pytest.fixture
def identity(contract):
    """A registry that is not on the chain yet; the deployer is."""
    chains = (*contract.identity.chains, SEPOLIA)
    return dataclasses.replace(contract.identity, salt=bytes(32), owner=NOBODYS, operator=NOBODYS[::-1], chains=chains)


@pytest.fixture
def deploy(script, tmp_path):
    """Run the script on the chain under test; return what it wrote."""

    def run(identity: RegistryIdentity) -> Deployment:
        path = tmp_path / "identity.json"
        path.write_text(json.dumps(identity.to_json()), encoding="utf-8")
        written = tmp_path / "deployments" / "31337.json"
        script["cli"].callback(identity_path=path, alias=None, out=written)  # named: the chain under test ends with ape
        return Deployment.from_json(json.loads(written.read_text(encoding="utf-8")))

    return run


def test_it_deploys_at_the_registry_address_and_writes_it_down(deploy, identity, contract, evm):
    deployment = deploy(identity)
    assert dataclasses.replace(contract, address=identity.address).read("origin") == identity.origin
    receipt = evm.web3.eth.get_transaction_receipt("0x" + deployment.transaction.hex())
    assert deployment == Deployment.of(
        identity,
        evm.chain_id,
        receipt["blockNumber"],
        bytes(receipt["transactionHash"]),
        rights_anchor()["compiler"],
    )
    assert {log["address"] for log in receipt["logs"]} == {to_checksum_address(identity.address)}


def test_it_names_the_chains_that_are_missing(deploy, identity, tmp_path, capsys):
    deploy(identity)
    assert f"no record yet of: {SEPOLIA}" in capsys.readouterr().out
    (tmp_path / f"deployments/{SEPOLIA}.json").touch()
    deploy(identity)
    assert "no record yet" not in capsys.readouterr().out


def test_a_chain_that_the_identity_does_not_list_gets_nothing(deploy, identity, evm):
    block = evm.web3.eth.block_number
    with pytest.raises(click.ClickException, match=r"is not listed in the identity.*new registry"):
        deploy(dataclasses.replace(identity, chains=(SEPOLIA,)))
    assert evm.web3.eth.block_number == block


def test_run_again_it_sends_nothing(deploy, identity, evm):
    first, block = deploy(identity), evm.web3.eth.block_number
    assert (deploy(identity), evm.web3.eth.block_number) == (first, block)


def test_what_was_written_is_found_again_on_the_chain(deploy, identity, tmp_path):
    """Lost, or as it was before a reorganisation: the contract's first event tells."""
    first = deploy(identity)
    path = tmp_path / "deployments" / "31337.json"
    path.unlink()
    assert deploy(identity) == first
    path.write_text(json.dumps(dataclasses.replace(first, block=first.block + 7).to_json()), encoding="utf-8")
    assert deploy(identity) == first
    path.write_text(json.dumps(dataclasses.replace(first, transaction=bytes(32)).to_json()), encoding="utf-8")
    assert deploy(identity) == first


def test_a_change_by_the_owner_is_told_and_no_error(deploy, contract, capsys):
    contract.send("setOperator", "0x" + NOBODYS.hex(), key=contract.owner)
    assert deploy(contract.identity).address == contract.address
    assert f"operator is 0x{NOBODYS.hex()}" in capsys.readouterr().out


@pytest.mark.parametrize("number", range(10))
@pytest.mark.parametrize("role", ["owner", "operator"])
def test_no_public_chain_gets_a_registry_of_a_well_known_key(script, identity, evm, role, number):
    known = bytes.fromhex(Account.from_key(evm.keys[number]).address[2:])
    registry = dataclasses.replace(identity, **{role: known})
    with pytest.raises(click.ClickException, match=f"the {role} .* well-known"):
        script["refuse_known_keys"](registry, SEPOLIA)
    script["refuse_known_keys"](registry, 31337)
    script["refuse_known_keys"](identity, SEPOLIA)


def test_without_the_deterministic_deployer_nothing_is_sent(script, contract, monkeypatch):
    """py-evm and anvil are given it by now: another address stands for a chain that has none."""
    monkeypatch.setitem(script["send"].__globals__, "DETERMINISTIC_DEPLOYER", NOBODYS)
    with pytest.raises(click.ClickException, match="deterministic deployer is not at"):
        script["send"](contract.identity, None)


def test_a_file_that_is_no_identity_is_refused(script, tmp_path):
    path = tmp_path / "identity.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(click.ClickException, match="is no registry identity"):
        script["cli"].callback(identity_path=path, alias=None, out=None)


def test_on_a_public_chain_it_asks_and_then_deploys(identity, evm, tmp_path):
    """As an operator types it, on a node with Sepolia's chain id: the transaction is shown, then signed for."""
    if not evm.is_anvil:
        pytest.skip("once is enough: it has a node of its own")
    path = tmp_path / "identity.json"
    path.write_text(json.dumps(identity.to_json()), encoding="utf-8")
    accounts = tmp_path / "ape" / "accounts"
    accounts.mkdir(parents=True)
    keystore = Account.encrypt(evm.keys[5], "passphrase", iterations=1024)
    (accounts / "payer.json").write_text(json.dumps(keystore), encoding="utf-8")
    with running_anvil("--chain-id", str(SEPOLIA)) as node:
        command = [ROOT / ".venv/bin/ape", "run", "deploy", "--network", "ethereum:sepolia:node"]
        command += ["--identity", path, "--account", "payer"]
        environment = os.environ | {"DEEDLOG_RPC_URL": node.url, "APE_DATA_FOLDER": str(tmp_path / "ape")}
        # Sign it; the passphrase; do not stay unlocked.
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            input="y\npassphrase\nn\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"Sign:.*deployed: block 1,", done.stdout, re.DOTALL)
        assert node.request("eth_getCode", to_checksum_address(identity.address), "latest") != "0x"
    written = json.loads((tmp_path / "deployments" / f"{SEPOLIA}.json").read_text(encoding="utf-8"))
    assert (written["chain_id"], written["address"]) == (SEPOLIA, "0x" + identity.address.hex())
