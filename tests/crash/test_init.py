"""`deedlog init` killed at each of its steps: run again, it ends with one registry, of one identity."""

from __future__ import annotations

import json

import pytest
from local_registry import LOCAL_OWNER
from support.worlds.crashes.crash_world import CHEAP, ORIGIN, PASSPHRASE
from support.worlds.databases.dialects import DIALECTS

from deedlog.anchor.contract import contracts
from deedlog.anchor.evm.identity import RegistryIdentity
from deedlog.anchor.log import store as log_store
from deedlog.api.cli.exit_codes import ExitCode
from deedlog.registry import keystore
from deedlog.registry.failpoints import STEPS
from deedlog.registry.store.database import Database

INIT = ("init", "--origin", ORIGIN, "--owner", LOCAL_OWNER, "--json")
OTHER_OWNER = "0x" + "12" * 20


@pytest.fixture(params=DIALECTS)
def unmade(request, new_registry):
    registry = new_registry(request.param)
    registry.prepare()
    return registry


def kill_init_at(registry, step, *arguments):
    registry.order("run", step=step, times=1)
    registry.run(*INIT, *arguments, expect=-9)


def stored_identity(registry):
    database = Database(registry.database_url)
    try:
        return log_store.identity_of(database)
    finally:
        database.close()


def code(said):
    return json.loads(said[: said.rindex("}") + 1])["error"]["code"]


@pytest.mark.parametrize("step", [step for step in STEPS if step.startswith("init.")])
def test_init_run_again_finishes_what_a_crash_left(unmade, step):
    if step != "init.operator_key":
        # Its file is dear to make by design; one step is enough to see the real one made.
        keystore.write(unmade.data / "operator.json", keystore.new_key(), PASSPHRASE, CHEAP)
    kill_init_at(unmade, step)
    files = {path.name: path.read_bytes() for path in unmade.data.iterdir()}
    if step == "init.identified":
        assert code(unmade.run(*INIT, expect=ExitCode.OUTPUT)) == "file.exists"
    else:
        assert "identity.json" not in files
        unmade.run(*INIT)
    for name, before in files.items():
        assert (unmade.data / name).read_bytes() == before, f"{name} was made anew"
    identity = RegistryIdentity.from_json(json.loads((unmade.data / "identity.json").read_text("utf-8")), contracts())
    assert identity == stored_identity(unmade)
    assert identity.operator == keystore.account(unmade.data / "operator.json")
    unmade.deploy()
    unmade.secret = json.loads(unmade.run("api-key", "new", "crash", "--scope", "batch", "--json"))["secret"]
    unmade.start("serve", "worker")
    unmade.await_web()
    with unmade.public():
        unmade.await_anchored()
    unmade.await_logged()
    unmade.look(bundles=3)
    unmade.stop()


def test_a_log_of_other_arguments_is_not_taken_for_the_one_that_was_begun(unmade):
    keystore.write(unmade.data / "operator.json", keystore.new_key(), PASSPHRASE, CHEAP)
    salt = "0x" + "07" * 32
    kill_init_at(unmade, "init.created", "--salt", salt)
    begun = stored_identity(unmade)
    for other in (("--owner", OTHER_OWNER), ("--origin", "other.example.com/log"), ("--salt", "0x" + "08" * 32)):
        assert code(unmade.run(*INIT, *other, expect=ExitCode.OUTPUT)) == "log.exists"
    kept = (unmade.data / "log.pem").rename(unmade.folder / "kept.pem")
    assert code(unmade.run(*INIT, expect=ExitCode.OUTPUT)) == "log.exists"
    assert not (unmade.data / "identity.json").exists()
    kept.replace(unmade.data / "log.pem")
    unmade.run(*INIT, "--salt", salt)
    assert stored_identity(unmade) == begun
    assert begun.salt == bytes([7] * 32)
