"""Run a registry with default settings: SQLite, and a local chain whose state is stored; used by `scripts/run`.

Started again on the same data, it continues with the same registry, chain and contract. Ctrl-C or SIGTERM stops
everything it started, with exit code 0 if the registry was up by then.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import interruption
from data_lock import DataLock
from ports import free_port, in_use

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.rpc.evm_chain import EvmChain
from deedlog.registry import files, keystore
from deedlog.registry.errors import Unavailable
from deedlog.registry.passphrases import read_passphrase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
LOCAL_CHAIN_ID = 31337
# The tenth account of anvil's public mnemonic: everybody has its key, and this machine does not use it. Local only.
LOCAL_OWNER = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"
START_SECONDS = 60
STOP_SECONDS = 30

KEY_COST = 2**4
"""scrypt's n for the operator's key. The passphrase is in the same folder, so a higher cost would protect nothing."""


@dataclass
class LocalRegistry:
    """The processes of one registry on this machine, and its data folder."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    chain_port: int = 8545
    anchor_interval: int = 60
    quiet: bool = False
    database_url: str | None = None
    _chain: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _server: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _lock: DataLock = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the lock on the data folder, without taking it."""
        self._lock = DataLock(self.data)

    @property
    def url(self) -> str:
        """The registry's URL."""
        return f"http://{self.host}:{self.port}"

    @property
    def rpc_url(self) -> str:
        """The URL of the local chain's node."""
        return f"http://127.0.0.1:{self.chain_port}"

    def environment(self) -> dict[str, str]:
        """Return the settings under which this registry's commands run."""
        database = {} if self.database_url is None else {"DEEDLOG_DATABASE_URL": self.database_url}
        return (
            os.environ
            | database
            | {
                "DEEDLOG_DATA": str(self.data),
                "DEEDLOG_CHAIN": "local",
                "DEEDLOG_RPC_URL": self.rpc_url,
                "DEEDLOG_ANCHOR_INTERVAL": str(self.anchor_interval),
                "DEEDLOG_HOST": self.host,
                "DEEDLOG_PORT": str(self.port),
                "DEEDLOG_OPERATOR_PASSPHRASE_FILE": str(self.data / "passphrases" / "operator"),
                "DEEDLOG_LOG_PASSPHRASE_FILE": str(self.data / "passphrases" / "log"),
            }
        )

    def start(self) -> RegistryIdentity:
        """Start chain, registry and worker; create the registry and deploy its contract if they do not exist yet."""
        self.start_chain()
        identity = self.create()
        self.start_server()
        return identity

    def start_chain(self) -> None:
        """Start anvil on this registry's chain state, which is locked for this process until `stop`."""
        lock = self._lock.take(self.url)
        state = self.data / "chain" / "state.json"
        state.parent.mkdir(parents=True, exist_ok=True)
        if in_use("127.0.0.1", self.chain_port):
            self.chain_port = free_port()
        self._say(f"starting a local chain (anvil) on port {self.chain_port}")
        command = [str(anvil_binary()), "--port", str(self.chain_port), "--silent"]
        command += ["--state", str(state), "--state-interval", "2"]
        # anvil holds the lock too, so no other run can use the state before anvil has written it.
        self._chain = interruption.start(command, signal.SIGINT, pass_fds=(lock,))
        self._until(self._chain_answers, self._chain, "the local chain")

    def create(self) -> RegistryIdentity:
        """Create the registry or migrate an existing one; deploy its contract if it is missing; return its identity."""
        files.make_folder(self.data / "passphrases")
        for name in ("operator", "log"):
            path = self.data / "passphrases" / name
            if not path.exists():
                files.write_private(path, (secrets.token_urlsafe(24) + "\n").encode())
        identity_file = self.data / "identity.json"
        if not identity_file.exists():
            self._say("creating the registry: keys, address, empty log")
            operator = self.data / "operator.json"
            if not operator.exists():  # an interrupted run may have left it
                passphrase = read_passphrase(self.data / "passphrases" / "operator")
                keystore.write(operator, keystore.new_key(), passphrase, KEY_COST)
            self.deedlog("init", "--origin", f"{self.host}:{self.port}/log", "--owner", LOCAL_OWNER, "--json")
        else:
            self.deedlog("migrate")  # an earlier version may have created it
        identity = RegistryIdentity.from_json(json.loads(identity_file.read_text(encoding="utf-8")), contracts())
        chain = EvmChain(self.rpc_url)
        if not chain.has_code(identity.address):
            self._say("deploying the contract through the deterministic deployer")
            deployment = chain.deploy_local(identity)
            path = self.data / "deployments" / f"{LOCAL_CHAIN_ID}.json"
            files.make_folder(path.parent)
            record = json.dumps(deployment.to_json(), indent=2) + "\n"
            files.write_atomically(path, record.encode(), replaces=True)
        return identity

    def start_server(self) -> None:
        """Start the web process with its worker."""
        if in_use(self.host, self.port):
            sys.exit(f"{self.host}:{self.port} is in use: stop what uses it, or choose another with --port")
        self._say(f"starting the registry with its worker on {self.url}")
        command = [sys.executable, "-m", "deedlog.api.cli", "serve", "--with-worker", "--json"]
        self._server = interruption.start(command, signal.SIGTERM, env=self.environment(), stdout=subprocess.DEVNULL)
        self._until(self._server_answers, self._server, "the registry")

    def wait(self) -> int:
        """Wait until the registry or the chain ends by itself; return an exit code."""
        while True:
            interruption.check()
            for process in (self._server, self._chain):
                if process is not None and process.poll() is not None:
                    return process.returncode or 1
            time.sleep(0.3)

    def stop(self) -> None:
        """Stop the registry, then the chain, each in order, so that both store all their state."""
        for process, number in ((self._server, signal.SIGTERM), (self._chain, signal.SIGINT)):
            if process is None or process.poll() is not None:
                continue
            process.send_signal(number)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._server = self._chain = None
        self._lock.release()

    def deedlog(self, *arguments: str) -> str:
        """Run the command `deedlog` under this registry's settings; return what it printed."""
        return run_deedlog(arguments, self.environment())

    def _chain_answers(self) -> bool:
        with contextlib.suppress(Unavailable):
            return EvmChain(self.rpc_url).chain_id() == LOCAL_CHAIN_ID
        return False

    def _server_answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz", timeout=5).is_success
        return False

    def _until(self, check: object, process: subprocess.Popen[bytes], name: str) -> None:
        for _ in range(START_SECONDS * 10):
            interruption.check()
            if process.poll() is not None:
                sys.exit(f"{name} ended by itself (exit code {process.returncode}); its own words are above")
            if check():  # type: ignore[operator] # one of the two methods above
                return
            time.sleep(0.1)
        sys.exit(f"{name} did not answer within {START_SECONDS} s")

    def _say(self, text: str) -> None:
        if not self.quiet:
            print(f"· {text}", flush=True)


def run_deedlog(arguments: Sequence[str], environment: dict[str, str] | None = None, expect: int = 0) -> str:
    """Run the command `deedlog`; return its output. Exit with that output if the exit code is not `expect`."""
    command = [sys.executable, "-m", "deedlog.api.cli", *arguments]
    done = interruption.run(command, environment)
    if done.returncode != expect:
        sys.exit(f"deedlog {' '.join(arguments)}\nexit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def running(local: LocalRegistry) -> Iterator[RegistryIdentity]:
    """Start a local registry, and stop it in any case."""
    try:
        yield local.start()
    finally:
        local.stop()


def anvil_binary() -> Path:
    """Return the native anvil. With npm's node wrapper, a signal would stop the wrapper and not anvil."""
    found = sorted((ROOT / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    if not found:
        sys.exit("anvil is missing in node_modules: run scripts/setup")
    return found[0]


def options() -> argparse.ArgumentParser:
    """Return the options of `scripts/run`."""
    parser = argparse.ArgumentParser(prog="scripts/run", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder that keeps everything")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--anchor-interval", type=int, default=60, help="seconds between anchors")
    return parser


def main() -> int:
    """Start, print the next steps, and stay up until Ctrl-C."""
    given = options().parse_args()
    interruption.listen()
    local = LocalRegistry(given.data.resolve(), given.host, given.port, anchor_interval=given.anchor_interval)
    up = False
    try:
        with running(local) as identity:
            up = True
            deedlog = ".venv/bin/deedlog"
            address = "0x" + identity.address.hex()
            print(f"\nThe registry {address} is up at {local.url} (API: {local.url}/docs).", flush=True)
            print("Try next:", flush=True)
            print(f"  {deedlog} key new", flush=True)
            print(f'  {deedlog} register VIDEO --title "…" --credited-as "…" --url {local.url}', flush=True)
            print(f"  curl {local.url}/log/checkpoint", flush=True)
            print("Ctrl-C stops it; started again, it carries on.\n", flush=True)
            return local.wait()
    except interruption.Interrupted as told:
        print("\nstopped", flush=True)
        return 0 if up else told.exit_code


if __name__ == "__main__":
    sys.exit(main())
