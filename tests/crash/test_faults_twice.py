"""Commits that fail, each in two ways: it did not happen; it happened, and only its return was lost.

On SQLite the commit's return is an error; on PostgreSQL a proxy cuts the connection before or after the COMMIT. The
processes are real, and so are the databases.
"""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy.engine import make_url
from support.faults.cut_postgres import CutPostgres
from support.worlds.crashes.crash_world import until
from support.worlds.databases.dialects import DIALECTS

from deedlog.api.cli.exit_codes import ExitCode

HAPPENED = pytest.mark.parametrize("happened", [False, True], ids=["did not happen", "happened"])

NOTHING = "\0"
ANCHORERS = {
    "the attempt": ("INSERT INTO attempt", NOTHING),
    "that it was sent": ("UPDATE anchor_transaction", NOTHING),
    "the anchor": ("INSERT INTO anchor ", NOTHING),
    "what became of it": ("UPDATE attempt SET state", "anchor_transaction"),
    "that it is final": ("AND attempt.size = ", NOTHING),
}
"""What each of the anchorer's transactions writes: (a statement of it, one that it has not)."""


class Faults:
    """Lets commits of one registry fail."""

    def __init__(self) -> None:
        self.registry = None
        self._proxy = None

    def before(self, url):
        """Return the URL of a proxy before a PostgreSQL database."""
        whole = make_url(url)
        self._proxy = CutPostgres(whole.query["host"])
        away = whole.set(host="127.0.0.1", port=self._proxy.port, query={"sslmode": "disable", "gssencmode": "disable"})
        return away.render_as_string(hide_password=False)

    def fail(self, name, statement, unless=NOTHING, *, happened):
        """Let the next commit of that process fail whose transaction executed `statement`, and not `unless`."""
        if self._proxy is None:
            self.registry.order(name, statement=statement, unless=unless, happened=happened)
        else:
            self._proxy.cut_at(statement, unless, happened=happened)

    def await_failed(self, name):
        failed = (lambda: self.registry.obeyed(name)) if self._proxy is None else (lambda: self._proxy.done)
        until(failed, lambda: "a commit fails\n" + self.registry.processes[name].tail())

    def stop(self):
        if self._proxy is not None:
            self._proxy.close()


@pytest.fixture(scope="module", params=DIALECTS)
def faulty(request, new_registry):
    faults = Faults()
    faults.registry = new_registry(request.param, faults.before if request.param == "postgresql" else None)
    faults.registry.create()
    yield faults
    faults.registry.stop()
    faults.stop()


@pytest.fixture
def faults(faulty):
    """A registry that runs, whose commits can be made to fail."""
    faulty.registry.ensure()
    faulty.registry.witness.problems.clear()
    return faulty


@HAPPENED
def test_an_acceptance_is_never_acknowledged_and_lost_nor_kept_twice(faults, happened):
    registry = faults.registry
    public = registry.public()
    digest, body = public.statement()
    with httpx.Client(base_url=registry.url) as client:
        faults.fail("serve", "INSERT INTO statement ", happened=happened)
        told = public.post(client, digest, body, tries=1)
        faults.await_failed("serve")
        if told.outcome is None:
            assert registry.witness.problems.pop().startswith("50")
            kept = registry.ask("SELECT count(*) FROM statement") - len(registry.witness.acknowledged)
            assert kept == int(happened)
            # The process goes on: the next request finds what there is.
            public.post(client, digest, body, tries=1)
        # Else the registry itself began again, from what there is, before it answered.
        assert told.outcome == ("known" if happened else "accepted")
        assert public.post(client, digest, body, tries=1).again == ["known"]
    assert registry.ask("SELECT count(*) FROM statement") == len(registry.witness.acknowledged)
    registry.await_logged()
    registry.look(bundles=3)


@HAPPENED
def test_the_sequencer_ends_and_the_next_one_reads_first(faults, happened):
    registry = faults.registry
    registry.await_logged()
    before = registry.ask("SELECT size FROM log")
    faults.fail("worker", "INSERT INTO checkpoint", happened=happened)
    digest, body = registry.public().statement()
    with httpx.Client(base_url=registry.url) as client:
        registry.public().post(client, digest, body)
    faults.await_failed("worker")
    assert registry.processes["worker"].wait() == ExitCode.UNAVAILABLE, (
        "it went on after a commit whose outcome it does not know"
    )
    registry.look_at_rest()
    assert registry.ask("SELECT size FROM log") == before + int(happened)
    assert registry.remembered() == before, "a checkpoint whose commit did not return has left the process"
    registry.start("worker")
    registry.await_logged()
    assert registry.ask("SELECT size FROM log") == before + 1
    registry.look(bundles=3)


@HAPPENED
@pytest.mark.parametrize("written", ANCHORERS)
def test_the_anchorer_carries_on_with_no_second_nonce(faults, written, happened):
    """That no nonce is used twice or for nothing is part of each look from outside."""
    registry = faults.registry
    faults.fail("worker", *ANCHORERS[written], happened=happened)
    with registry.public():
        faults.await_failed("worker")
    # Whether it ends or goes on: what comes next reads first.
    if registry.processes["worker"].ended.wait(0.1):
        registry.start("worker")
    registry.await_logged()
    registry.await_anchored()
    registry.look(bundles=3)
    assert not [problem for problem in registry.witness.problems if "statement.not_logged_yet" not in problem]
