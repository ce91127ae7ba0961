"""A process killed at each step that there is, while people register: nothing is lost, nothing is there twice.

One registry for each database walks through all steps, so that each crash meets what the ones before it left.
"""

from __future__ import annotations

import httpx
import pytest
from support.worlds.crashes import fsck_and_audit
from support.worlds.crashes.crash_witness import Told
from support.worlds.crashes.crash_world import until
from support.worlds.registries.registry_world import ALICE, BOB, salt, work

from deedlog.registry.failpoints import STEPS
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, sign
from deedlog.registry.statements.typed_data import typed_data

BUNDLES = 8
"""Of the newest, after each crash; of a hundred at the end."""

KILLED = -9

WALKED = [step for step in STEPS if not step.startswith(("init.", "draft."))]
"""`init` runs once, when there is no registry yet: see `test_init`. Drafts have a test of their own below."""

ATTEMPTS = {
    "anchor.stored": ("prepared",),
    "anchor.sent": ("prepared",),
    "anchor.noted": ("sent",),
    "anchor.proven": ("prepared", "sent"),
    "anchor.kept": ("prepared", "sent"),
    "anchor.settled": ("mined",),
}
"""Step → what the newest attempt is after a crash there."""


def process_of(step):
    return "serve" if step.startswith("accept.") else "worker"


@pytest.mark.parametrize("step", WALKED)
def test_a_crash_at(step, crash_registry, request):
    registry, name = crash_registry, process_of(step)
    with registry.public():
        for _ in range(kills(step, registry.dialect, slow=request.config.getoption("--slow"))):
            registry.order(name, step=step, times=1)
            if step == "anchor.moved":
                registry.reorganise()
            assert registry.processes[name].wait(f"{step} is reached") == KILLED, registry.processes[name].tail()
            assert registry.obeyed(name)
            if name == "worker":
                registry.look_at_rest()
                check_what_is_left(registry, step)
            registry.start(name)
        registry.await_web()
        answered = len(registry.witness.acknowledged)
        until(lambda: len(registry.witness.acknowledged) > answered, registry.stuck)
    assert not [problem for problem in registry.witness.problems if not is_expected(problem)]
    registry.await_logged()
    if step.startswith("anchor."):
        registry.await_anchored()
    registry.look(BUNDLES)


def kills(step, dialect, *, slow):
    """Return how often in a row: twice on one of the databases, which in turn; on both in the long run."""
    return 2 if slow or (WALKED.index(step) % 2 == 0) == (dialect == "sqlite") else 1


def is_expected(problem):
    return "statement.not_logged_yet" in problem


def check_what_is_left(registry, step):
    """Compare with what `STEPS` says."""
    size = registry.ask("SELECT size FROM log")
    if step in ATTEMPTS:
        state = registry.ask("SELECT state FROM attempt ORDER BY id DESC LIMIT 1")
        assert state in ATTEMPTS[step], (step, state)
    if step in ("anchor.head_checked", "anchor.signed"):
        assert registry.ask("SELECT count(*) FROM attempt WHERE state IN ('prepared', 'sent')") == 0
    if step == "anchor.stored":
        unsent = "SELECT count(*) FROM anchor_transaction WHERE sent_at IS NULL"
        assert registry.ask(f"{unsent} AND attempt_id = (SELECT max(id) FROM attempt)") == 1
    if step == "anchor.finalised":
        newest = "SELECT max(size) FROM anchor WHERE final"
        assert registry.ask(f"SELECT state FROM attempt WHERE size = ({newest})") == "final"
    before = registry.ask(f"SELECT max(size) FROM checkpoint WHERE size < {size}")
    if step == "sequence.committed":
        assert registry.remembered() == before
    else:
        assert registry.remembered() in (size, before)


@pytest.mark.parametrize("step", [step for step in WALKED if step.startswith("accept.")])
def test_who_sends_again_after_a_crash_is_answered_as_the_list_says(step, crash_registry):
    registry = crash_registry
    digest, body = registry.public().statement()
    with httpx.Client(base_url=registry.url) as client:
        registry.order("serve", step=step, times=1)
        told = registry.public().post(client, digest, body, tries=1)
        assert told.outcome is None
        assert registry.processes["serve"].wait() == KILLED
        registry.start("serve")
        registry.await_web()
        registry.public().post(client, digest, body)
    assert told.outcome == ("known" if "`known`" in STEPS[step] else "accepted")
    registry.await_logged()


@pytest.mark.parametrize("step", [step for step in STEPS if step.startswith("draft.")])
def test_a_draft_is_signed_once_whatever_crashes(step, crash_registry):
    registry = crash_registry
    kept = "`known`" in STEPS[step]
    creators = tuple(sorted(map(account_of_private_key, (ALICE, BOB))))
    made = work(content=step.encode(), creators=creators, salt=salt(f"draft {step}"))
    for signer, left, first in ((ALICE, int(kept), "proposed"), (BOB, int(not kept), "accepted")):
        body = signed_by(signer, made, registry.identity)
        registry.order("serve", step=step, times=1)
        with httpx.Client(base_url=registry.url) as client, pytest.raises(httpx.TransportError):
            client.post("/v1/drafts", json=body)
        assert registry.processes["serve"].wait() == KILLED
        assert registry.ask("SELECT count(*) FROM draft") == left
        fsck_and_audit.fsck(registry)
        registry.start("serve")
        registry.await_web()
        with httpx.Client(base_url=registry.url) as client:
            outcomes = [client.post("/v1/drafts", json=body).json()["outcome"] for _ in range(2)]
        assert outcomes == ["known" if kept else first, "known"]
    digest = to_hex(made.digest(domain_separator(registry.identity.address)))
    registry.witness.told[digest] = Told(digest, outcome="accepted")
    registry.await_logged()
    assert registry.ask("SELECT count(*) FROM draft") == 0
    assert registry.ask(f"SELECT count(*) FROM statement_subject WHERE subject = '{made.subjects()[0]}'") == 1
    fsck_and_audit.fsck(registry)


def signed_by(key, made, identity):
    """Return the body of a request that signs a draft with one key."""
    signature = sign(made.digest(domain_separator(identity.address)), key)
    return {
        "typed_data": typed_data(made, identity.address),
        "signatures": [{"account": to_checksum(signature.account), "signature": to_hex(signature.signature)}],
    }


def test_all_that_was_ever_acknowledged_is_logged_anchored_and_proven(crash_registry):
    crash_registry.await_logged()
    crash_registry.await_anchored()
    crash_registry.look(100)
    crash_registry.look_at_rest()


def test_a_crash_that_was_not_ordered_does_not_pass(crash_registry):
    """The harness itself: without an order the process goes on."""
    registry = crash_registry
    until(lambda: registry.unlogged() == 0, registry.stuck)
    assert not registry.processes["worker"].ended.wait(0.3)
    assert not registry.processes["serve"].ended.is_set()
