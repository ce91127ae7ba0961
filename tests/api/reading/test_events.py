"""The feed of what happened, over HTTP, on each database: in order, each thing once, drafts to their parties only."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from support.worlds.registries.http_refusals import quiet
from support.worlds.registries.shares_world import (
    DAY,
    accounts,
    agreement,
    cancellation,
    equal,
    now,
    on_one_database,
    people,
    rotation,
    termination,
    work,
)
from support.worlds.session.waiting import until

from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.agreements import WHOLE

OF_THE_LOG = ("logged", "anchored", "final")
OF_DRAFTS = {"proposed", "accepted", "declined"}


def of(events, *digests):
    """Return the names of events about some statements, in order."""
    names = {to_hex(digest) for digest in digests}
    return [event["name"] for event in events if event["digest"] in names]


@pytest.fixture
def start(sharing):
    """Where the feed is when a test begins: what other tests did is not read again."""
    return sharing.events(None, sharing.seen)[1]


def told(sharing, person, start, *digests):
    return of(sharing.events(person, start)[0], *digests)


def test_what_happens_to_an_agreement_is_told_in_order_and_once(sharing, start):
    anna, ben, cleo, payer = people(4)
    made = sharing.register(work(anna), anna)
    first = agreement([made], equal([anna, ben, cleo]), payer, effectiveFrom=now() - 2 * DAY)
    digest = sharing.digest(first)
    sharing.propose(first, anna)
    sharing.decline(digest, ben)
    sharing.decline(digest, ben)
    sharing.sign(first, cleo)
    sharing.sign(first, cleo)
    sharing.sign(first, ben)
    shares = {anna: 1, ben: WHOLE - 1}
    leaving = {"supersedes": digest, "leaving": accounts([cleo]), "effectiveFrom": now() - DAY}
    second = agreement([made], shares, payer, **leaving)
    sharing.register(second, anna, ben, cleo)
    sharing.register(termination(sharing.digest(second), now()), anna, ben)

    def final():
        return told(sharing, None, start, sharing.digest(second)).count("final")

    until(final, "the last is final")
    events = [event for event in sharing.events(anna, start)[0] if event["digest"] == to_hex(digest)]
    by_them = [event["name"] for event in events if event["name"] not in OF_THE_LOG]
    assert by_them == ["proposed", "declined", "accepted", "accepted", "in_force", "superseded"]
    assert [event["account"] for event in events if event["name"] in OF_DRAFTS] == [
        *(anna.shown, ben.shown),
        *(cleo.shown, ben.shown),
    ]
    assert [event["name"] for event in events if event["name"] in OF_THE_LOG] == list(OF_THE_LOG)
    assert all(event["kind"] == "Agreement" for event in events)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["at"]) for event in events)
    assert [event["chain_id"] for event in events if event["name"] in ("anchored", "final")] == [31337, 31337]
    ended = [name for name in told(sharing, ben, start, sharing.digest(second)) if name not in OF_THE_LOG]
    assert ended == ["in_force", "terminated"], "all signed at once: nobody proposed it here"


def test_a_draft_that_is_cancelled_is_told_once_and_strangers_see_no_more_than_that(sharing, start):
    anna, ben, payer, stranger = people(4)
    made = sharing.register(work(anna), anna)
    draft = agreement([made], equal([anna, ben]), payer)
    digest = sharing.digest(draft)
    sharing.propose(draft, anna)
    sharing.register(cancellation(digest), ben)
    assert told(sharing, anna, start, digest) == ["proposed", "cancelled"]
    for person in (None, stranger, payer):
        assert told(sharing, person, start, digest) == ["cancelled"]
    # The word of a stranger on what is not here is no event of it.
    other = agreement([made], equal([anna, ben]), payer)
    sharing.register(cancellation(sharing.digest(other)), stranger)
    assert told(sharing, anna, start, sharing.digest(other)) == []


def test_what_is_refused_in_the_end_is_not_told(sharing, start):
    """The last signature of a rotation to somebody: neither it nor anything that it would bring about happened."""
    anna, ben = people(2)
    handed = rotation(anna, ben)
    sharing.propose(handed, anna)
    sharing.register(work(ben), ben)
    assert sharing.sign(handed, ben).json()["code"] == "rotation.to_somebody"
    assert told(sharing, anna, start, sharing.digest(handed)) == ["proposed"]


def test_a_successor_sees_what_happened_to_drafts_and_who_handed_over_sees_it_no_more(sharing, start):
    anna, ben, payer, heir = people(4)
    made = sharing.register(work(anna), anna)
    draft = agreement([made], equal([anna, ben]), payer)
    sharing.propose(draft, anna)
    assert told(sharing, ben, start, sharing.digest(draft)) == ["proposed"]
    sharing.register(rotation(ben, heir), ben, heir)
    assert told(sharing, heir, start, sharing.digest(draft)) == ["proposed"]
    assert told(sharing, ben, start, sharing.digest(draft)) == []


@on_one_database
def test_pages_hold_a_hundred_and_the_cursor_goes_on_past_what_is_not_shown(sharing, start):
    anna, ben, stranger = people(3)
    for _ in range(53):
        draft = work(anna, ben)
        sharing.propose(draft, anna)
        sharing.decline(sharing.digest(draft), ben)
    hidden = sharing.get("/v1/events", stranger, after=start).json()
    mine = sharing.get("/v1/events", anna, after=start).json()
    assert mine["next"] == hidden["next"] != start
    shown = [event for event in mine["events"] if event["name"] in OF_DRAFTS]
    assert len(shown) <= len(mine["events"]) == 100
    assert len(hidden["events"]) == 100 - len(shown)
    rest = sharing.events(anna, hidden["next"])[0]
    assert len([event for event in rest if event["name"] in OF_DRAFTS]) == 106 - len(shown)
    assert sharing.get("/v1/events", anna, after=mine["next"]).json()["events"] == rest[:100]


def test_a_reader_may_stop_after_any_event_also_within_a_batch_of_the_log(sharing, start):
    [anna] = people(1)
    bodies = [sharing.site.body(work(anna), anna.key) for _ in range(5)]
    results = sharing.site.platform.post("/v1/statements:batch", json={"statements": bodies}).json()["results"]
    names = [result["digest"] for result in results]

    def done():
        finals = [event for event in sharing.events(None, start)[0] if event["name"] == "final"]
        return set(names) <= {event["digest"] for event in finals}

    until(done, "all are final")
    quiet(sharing.site.local.database)
    whole, end = sharing.events(None, start)
    assert whole[-1]["cursor"] == end
    assert any(not event["cursor"].endswith(".0") for event in whole), "a reader can stop within a batch"
    for position, event in enumerate(whole):
        rest, last = sharing.events(None, event["cursor"])
        assert (rest, last) == (whole[position + 1 :], end)
    for name in OF_THE_LOG:
        of_these = [event["digest"] for event in whole if event["name"] == name and event["digest"] in names]
        assert sorted(of_these) == sorted(names)
    order = [event["digest"] for event in whole if event["name"] == "logged" and event["digest"] in names]
    assert order == names, "in the order of the log"


def test_all_that_happened_is_told_once_since_the_beginning(sharing, start):
    """Whoever reads from the start and whoever keeps up see the same: each statement logged, anchored, final once."""
    [anna] = people(1)
    digest = sharing.register(work(anna), anna)
    until(lambda: "final" in told(sharing, None, start, digest), "it is final")
    events, _ = sharing.events()
    counts = Counter((event["name"], event["digest"]) for event in events if event["name"] in OF_THE_LOG)
    assert set(counts.values()) == {1}
    by_name = {name: {digest for other, digest in counts if other == name} for name in OF_THE_LOG}
    assert by_name["final"] <= by_name["anchored"] <= by_name["logged"]
    where = {(event["name"], event["digest"]): position for position, event in enumerate(events)}
    for each in by_name["final"]:
        assert where["logged", each] < where["anchored", each] < where["final", each]


def test_a_cursor_that_nobody_was_given_is_answered_too(sharing):
    quiet(sharing.site.local.database)  # or the worker tells of something in between
    events, end = sharing.events()
    row = next(event["cursor"].split(".")[0] for event in events if event["name"] == "logged")
    for after in (f"{row}.1", f"{row}.99999", f"{row}.{10**18 - 1}", f"{10**18 - 1}.0", f"{10**18 - 1}.{10**18 - 1}"):
        answer = sharing.get("/v1/events", after=after)
        assert answer.status_code == 200, (after, answer.text)
    assert sharing.get("/v1/events", after=end).json() == {"events": [], "next": end}


@on_one_database
@pytest.mark.parametrize("after", ["", "1", "-1.0", "1.0.0", "1.x", "١.0", f"{10**18}.0"])
def test_a_cursor_of_another_form_is_refused(sharing, after):
    answer = sharing.get("/v1/events", after=after)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "http.cursor", "after")


@on_one_database
def test_times_are_those_of_the_clock(sharing, start):
    [anna] = people(1)
    before = int(time.time())
    digest = sharing.register(work(anna), anna)
    until(lambda: told(sharing, None, start, digest), "it is logged")
    [event] = [each for each in sharing.events(None, start)[0] if each["digest"] == to_hex(digest)][:1]
    said = datetime.strptime(event["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    assert before <= said <= time.time()


def test_the_database_is_whole_after_all_that_people_did_here(sharing):
    """What is left of drafts, cancellations of what was never here, rotations and events agrees with the statements."""
    anna, ben, heir = people(3)
    made = sharing.register(work(anna), anna)
    sharing.propose(agreement([made], equal([anna, ben]), ben), anna)
    sharing.register(cancellation(sharing.digest(work(ben))), ben)
    sharing.register(rotation(ben, heir), ben, heir)
    local = sharing.site.local
    quiet(local.database)
    rows = json.loads(local.deedlog("fsck", "--json"))["rows"]  # or it says what is wrong, and ends with 1
    assert all(rows[name] for name in ("statements", "drafts", "rotations", "events", "anchors"))
    assert rows["unlogged"] == 0
