"""Deploy a registry's contract at its registry address, and record where and how.

    ape run deploy --network ethereum:local:foundry
    DEEDLOG_RPC_URL=https://… ape run deploy --network ethereum:sepolia:node --account ALIAS
    DEEDLOG_RPC_URL=https://… ape run deploy --network ethereum:base-sepolia:node --account ALIAS

The deploying account only pays: the address follows from `identity.json` alone, and the account gets no power. If the
contract is already there, nothing is sent. On a local chain ape starts its own anvil unless one listens on port 8545 or
at APE_FOUNDRY_HOST. Forks, and chains that end with ape, are for trials: their deployments are recorded only with
--out, so a trial never overwrites the record of a lasting chain.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import ape
import click
import requests
from ape.cli import ConnectedProviderCommand, network_option
from eth_abi.abi import decode
from web3.exceptions import TransactionNotFound, Web3Exception

from deedlog.anchor.contract import contracts, rights_anchor
from deedlog.anchor.evm.deployment import Deployment, creation_data
from deedlog.anchor.evm.identity import DETERMINISTIC_DEPLOYER, RegistryIdentity
from deedlog.registry import files
from deedlog.registry.errors import DeedlogError
from deedlog.registry.hexadecimal import from_hex, to_checksum, to_hex
from deedlog.registry.keccak import keccak256

# node_modules/.bin/anvil is a script around the binary. ape starts anvil by name and later ends it: it would end the
# script and leave the binary running.
for binary in Path(__file__).resolve().parent.parent.glob("node_modules/@foundry-rs/anvil-*/bin"):
    os.environ["PATH"] = f"{binary}{os.pathsep}{os.environ['PATH']}"

DEVELOPMENT_CHAINS = frozenset({1337, 31337})
"""Chain ids of py-evm and anvil, and by custom of local nodes: nothing there is worth protecting with a secret key."""

DEPLOYER_CODE_HASH = "0x2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989"
"""keccak-256 of the deterministic deployer's code. Other code in its place would give another registry address."""

WELL_KNOWN_ACCOUNTS = frozenset(
    from_hex(account, 20, None)
    for account in (
        "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
        "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
        "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
        "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
        "0x15d34aaf54267db7d7c367839aaf71a00a2c6a65",
        "0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
        "0x976ea74026e726554db657fa54763abd0c3a0aa9",
        "0x14dc79964da2c08b23698b3d3cc7ca32193d9955",
        "0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f",
        "0xa0ee7a142d267c1f36714e4a8f75612f20a79720",
    )
)
"""The ten accounts of anvil's mnemonic. Everybody has their keys."""

LOG_KEY_SET = to_hex(keccak256(b"LogKeySet(bytes32)"))
"""The constructor's first event. The oldest one at the address is in the transaction that created the contract."""


class Place(NamedTuple):
    """Where on the chain the contract was created. Not a dataclass: it needs a module, and ape runs scripts without."""

    block: int
    transaction: bytes


# \b: click does not rewrap the next paragraph.
@click.command(cls=ConnectedProviderCommand, help=(__doc__ or "").replace("\n\n    ", "\n\n\b\n    "))
@network_option(required=True)
@click.option(
    "--identity",
    "identity_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=Path("data/identity.json"),
    show_default=True,
    help="what the registry address commits to, as `deedlog init` wrote it",
)
@click.option("--account", "alias", help="ape account that pays; on a development chain, its first test account")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="file to write  [default: deployments/<chain id>.json beside the identity, if the chain stays]",
)
def cli(identity_path: Path, alias: str | None, out: Path | None) -> None:
    """Deploy, check and record; or stop with a message that gives the reason."""
    try:
        identity = RegistryIdentity.from_json(json.loads(identity_path.read_text(encoding="utf-8")), contracts())
    except (ValueError, DeedlogError) as error:
        stop(f"{identity_path} is no registry identity: {error}", error)
    chain_id = ape.networks.provider.chain_id
    refuse_unlisted(identity, chain_id)
    refuse_known_keys(identity, chain_id)
    click.echo(f"chain {chain_id}, registry address {to_checksum(identity.address)}")
    usual = identity_path.parent / "deployments" / f"{chain_id}.json"
    path = out or usual
    fresh = not code(identity.address)
    place = send(identity, payer(alias, chain_id)) if fresh else find(identity, chain_id, path)
    check(identity, fresh=fresh)
    click.echo(f"{'deployed' if fresh else 'is deployed already'}: block {place.block}, {to_hex(place.transaction)}")
    if out is None and not stays():
        click.echo(
            f"wrote nothing: this chain is a fork, or ends with ape, and {usual} is for a chain that stays. "
            "For a local one, start anvil first (or scripts/run, which deploys by itself) and run this again. "
            "To have a trial's record, say where with --out FILE"
        )
        return
    deployment = Deployment.of(identity, chain_id, place.block, place.transaction, rights_anchor()["compiler"])
    files.make_folder(path.parent)
    record = json.dumps(deployment.to_json(), indent=2) + "\n"
    files.write_atomically(path, record.encode(), replaces=True)
    click.echo(f"wrote {path}")
    if missing := [str(chain) for chain in identity.chains if not (path.parent / f"{chain}.json").exists()]:
        click.echo(f"the registry opens once the contract is on all its chains; no record yet of: {', '.join(missing)}")


def stays() -> bool:
    """Whether the chain outlives ape: not py-evm inside ape, not an anvil that ape started, not a fork."""
    provider = ape.networks.provider
    in_ape = provider.name == "test" or getattr(provider, "process", None) is not None
    return not (in_ape or provider.network.is_fork)


def refuse_unlisted(identity: RegistryIdentity, chain_id: int) -> None:
    """Stop if the identity does not list this chain: the constructor would revert."""
    if chain_id not in identity.chains:
        listed = ", ".join(map(str, identity.chains))
        stop(
            f"chain {chain_id} is not listed in the identity, whose address commits to {listed}: the contract cannot "
            "be deployed here. To use this chain, make a new registry that lists it (deedlog init --chain) and names "
            "this one as its predecessor."
        )


def refuse_known_keys(identity: RegistryIdentity, chain_id: int) -> None:
    """Stop if everybody has the key of the owner or the operator, except on a development chain."""
    if chain_id in DEVELOPMENT_CHAINS:
        return
    for role, account in (("owner", identity.owner), ("operator", identity.operator)):
        if account in WELL_KNOWN_ACCOUNTS:
            stop(
                f"the {role} {to_checksum(account)} is one of anvil's well-known accounts: everybody has its key. "
                f"On chain {chain_id} nothing is deployed with it. Make a registry with a key of your own."
            )


def payer(alias: str | None, chain_id: int) -> Any:
    """Return the ape account that pays."""
    if alias is not None:
        try:
            return ape.accounts.load(alias)
        except KeyError as error:
            stop(f"ape has no account {alias!r}: ape accounts import {alias}", error)
    if chain_id not in DEVELOPMENT_CHAINS:
        stop(f"chain {chain_id} is no development chain: name who pays, with --account ALIAS")
    return ape.accounts.test_accounts[0]


def send(identity: RegistryIdentity, account: Any) -> Place:
    """Send the creation code to the deterministic deployer and wait until it is mined."""
    found = to_hex(keccak256(code(DETERMINISTIC_DEPLOYER)))
    if found != DEPLOYER_CODE_HASH:
        stop(
            f"the deterministic deployer is not at {to_checksum(DETERMINISTIC_DEPLOYER)} on this chain "
            f"(code hash {found}): without it there is no registry address here"
        )
    # Mined is enough: after a reorganisation, a second run finds the contract in its new block, or sends it again.
    receipt = account.transfer(
        to_checksum(DETERMINISTIC_DEPLOYER), 0, data=creation_data(identity), required_confirmations=0
    )
    return Place(int(receipt.block_number), from_hex(receipt.txn_hash.lower(), 32, None))


def find(identity: RegistryIdentity, chain_id: int, path: Path) -> Place:
    """Return where the contract was created: from the record, if the chain confirms it, or from its first event."""
    web3 = ape.networks.provider.web3
    try:
        written = Deployment.from_json(json.loads(path.read_text(encoding="utf-8")))
        receipt = web3.eth.get_transaction_receipt(to_hex(written.transaction))
        compiler = rights_anchor()["compiler"]
        block = int(receipt["blockNumber"])
        if written == Deployment.of(identity, chain_id, block, written.transaction, compiler):
            return Place(written.block, written.transaction)
    except (OSError, ValueError, DeedlogError, TransactionNotFound):
        pass  # no record, or one of another contract, or from before a reorganisation
    try:
        logs = web3.eth.get_logs(
            {
                "address": to_checksum(identity.address),
                "topics": [LOG_KEY_SET, to_hex(identity.log_key)],
                "fromBlock": 0,
                "toBlock": "latest",
            }
        )
    except (Web3Exception, requests.RequestException, ValueError) as error:
        stop(
            "the contract is there, but this node does not tell its first event: use one with all logs "
            f"({type(error).__name__})",  # the error's text may contain the node's URL, and with it a secret
            error,
        )
    if not logs:
        stop("the contract is there, but this node does not tell its first event: use one with all logs")
    return Place(int(logs[0]["blockNumber"]), bytes(logs[0]["transactionHash"]))


def check(identity: RegistryIdentity, *, fresh: bool) -> None:
    """Read everything back. Print what the owner has changed since the deployment.

    A changed origin, or any difference in a new contract (`fresh`), is an error.
    """
    if not code(identity.address):
        stop(f"there is no code at {to_checksum(identity.address)}: the deployment failed")
    expected: dict[str, str | bytes] = {
        "origin": identity.origin,
        "logKey": identity.log_key,
        "owner": identity.owner,
        "operator": identity.operator,
    }
    for name, value in expected.items():
        actual = read(identity.address, name)
        if actual == value:
            continue
        message = f"{name} is {shown(actual)}; the identity has {shown(value)}"
        if fresh or name == "origin":  # the origin can never change
            stop(message)
        click.echo(f"changed since the deployment: {message}")


def read(contract: bytes, name: str) -> str | bytes:
    """Return the answer of a function without arguments: text as `str`, accounts and hashes as bytes."""
    kind = next(item["outputs"][0]["type"] for item in rights_anchor()["abi"] if item.get("name") == name)
    call = {"to": to_checksum(contract), "data": to_hex(keccak256(f"{name}()".encode())[:4])}
    value: Any = decode([kind], ape.networks.provider.web3.eth.call(call))[0]
    if kind == "address":
        return from_hex(value.lower(), 20, name)
    return str(value) if kind == "string" else bytes(value)


def stop(message: str, cause: Exception | None = None) -> NoReturn:
    """Exit with a message for the person at the keyboard."""
    raise click.ClickException(message) from cause


def shown(value: str | bytes) -> str:
    """Return a value as text for a person."""
    return value if isinstance(value, str) else to_hex(value)


def code(address: bytes) -> bytes:
    """Return the code at an address."""
    return bytes(ape.networks.provider.web3.eth.get_code(to_checksum(address)))
