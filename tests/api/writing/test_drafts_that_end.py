"""How a draft ends over HTTP, on each database: declined, cancelled, expired, stale, or complete another way."""

from __future__ import annotations

from support.worlds.registries.draft_world import complete, state, three
from support.worlds.registries.http_refusals import code_of
from support.worlds.registries.shares_world import (
    agreement,
    cancellation,
    equal,
    on_one_database,
)
from support.worlds.session.waiting import before_deadline, sleep_until

from deedlog.registry.hexadecimal import to_hex


def test_to_decline_is_a_notice_that_binds_nobody(sharing):
    (anna, ben, cleo), _, _, made = three(sharing)
    sharing.propose(made, anna)
    declined = sharing.decline(sharing.digest(made), ben)
    assert (declined.status_code, declined.json()["state"]) == (200, "declined")
    party = next(party for party in declined.json()["parties"] if party["account"] == ben.shown)
    assert party["declined_at"].endswith("Z")
    assert party["signed_at"] is None
    sharing.sign(made, cleo)
    assert state(sharing, made, anna) == "declined"
    assert sharing.sign(made, ben).json()["outcome"] == "accepted"


def test_who_signs_after_all_has_not_declined(sharing):
    (anna, ben, _), _, _, made = three(sharing)
    sharing.propose(made, anna)
    sharing.decline(sharing.digest(made), ben)
    sharing.sign(made, ben)
    shown = sharing.draft(sharing.digest(made), anna).json()
    assert shown["state"] == "proposed"
    assert all(party["declined_at"] is None for party in shown["parties"])


def test_to_cancel_ends_a_draft_and_takes_a_signature_back(sharing):
    (anna, ben, cleo), _, _, made = three(sharing)
    digest = sharing.digest(made)
    sharing.propose(made, anna)
    sharing.sign(made, ben)
    cancelled = sharing.register(cancellation(digest), ben)
    shown = sharing.draft(digest, cleo).json()
    assert (shown["state"], shown["cancelled_by"]) == ("cancelled", to_hex(cancelled))
    for answer in (sharing.sign(made, cleo), sharing.propose(made, cleo), sharing.post(made, anna, ben, cleo)):
        assert (answer.status_code, code_of(answer)) == (409, "agreement.cancelled")
        assert answer.json()["params"]["other"] == to_hex(cancelled)
    assert sharing.statement(digest).status_code == 404


def test_a_signature_is_taken_back_that_somebody_holds_and_has_sent_to_nobody(sharing):
    """A platform collects signatures and keeps them to itself: whoever signed needs no draft here to take theirs back.

    A stranger's word on the same agreement changes nothing.
    """
    (anna, ben, cleo), payer, _, made = three(sharing)
    digest = sharing.digest(made)
    sharing.register(cancellation(digest), payer)
    assert sharing.propose(made, anna).json()["outcome"] == "proposed"
    persons, _, _, other = three(sharing)
    cancelled = sharing.register(cancellation(sharing.digest(other)), persons[1])
    for answer in (sharing.post(other, *persons), sharing.propose(other, persons[0])):
        assert (code_of(answer), answer.json()["params"]["other"]) == ("agreement.cancelled", to_hex(cancelled))
    assert sharing.post(made, anna, ben, cleo).json()["outcome"] == "accepted"


@on_one_database
def test_only_a_party_cancels_and_only_what_is_not_complete(sharing):
    (anna, ben, cleo), payer, work_digest, made = three(sharing)
    digest = sharing.digest(made)
    sharing.propose(made, anna)
    assert code_of(sharing.post(cancellation(digest), payer)) == "cancellation.not_a_party"
    assert code_of(sharing.post(cancellation(digest), ben, payer)) == "cancellation.not_a_party"
    assert code_of(sharing.post(cancellation(work_digest), anna)) == "cancellation.no_draft"
    assert sharing.sign(made, ben, cleo).json()["outcome"] == "accepted"
    assert code_of(sharing.post(cancellation(digest), ben)) == "cancellation.complete"


def test_a_second_cancellation_is_told_of_the_first(sharing):
    (anna, ben, _), _, _, made = three(sharing)
    sharing.propose(made, anna)
    first = sharing.register(cancellation(sharing.digest(made)), ben)
    second = sharing.post(cancellation(sharing.digest(made)), anna)
    assert (code_of(second), second.json()["params"]["other"]) == ("agreement.cancelled", to_hex(first))


@on_one_database
def test_a_draft_expires(sharing):
    (anna, ben, cleo), payer, made_work, _ = three(sharing)

    def propose(accept_by):
        made = agreement([made_work], equal([anna, ben, cleo]), payer, acceptBy=accept_by)
        return made, sharing.propose(made, anna)

    _, (made, answer) = before_deadline(propose)
    assert answer.json()["outcome"] == "proposed"
    sleep_until(made.acceptBy + 1)
    for answer in (sharing.sign(made, ben), sharing.post(made, anna, ben, cleo)):
        assert (answer.status_code, code_of(answer)) == (409, "agreement.expired")
    shown = sharing.draft(sharing.digest(made), cleo).json()
    assert (shown["state"], shown["reason"]["code"]) == ("expired", "agreement.expired")
    assert [party["signed_at"] is not None for party in shown["parties"]] == [True, False, False]


def test_a_draft_goes_stale_when_another_agreement_covers_the_work_and_says_which(sharing):
    (anna, ben, cleo), payer, made_work, made = three(sharing)
    sharing.propose(made, anna)
    other = complete(sharing, agreement([made_work], equal([anna, ben]), payer), anna, ben)
    shown = sharing.draft(sharing.digest(made), cleo).json()
    assert (shown["state"], shown["reason"]["code"], shown["reason"]["params"]["other"]) == (
        *("stale", "agreement.stale"),
        to_hex(other),
    )
    refused = sharing.sign(made, ben)
    assert (refused.status_code, code_of(refused), refused.json()["params"]["other"]) == (
        *(409, "agreement.stale"),
        to_hex(other),
    )


def test_a_draft_leaves_when_all_signatures_come_another_way(sharing):
    persons, _, _, made = three(sharing)
    sharing.propose(made, persons[0])
    complete(sharing, made, *persons)
    assert state(sharing, made, persons[1]) == "draft.unknown"
    assert sharing.get("/v1/drafts", persons[0]).json()["drafts"] == []
    persons, _, _, other = three(sharing)
    sharing.propose(other, persons[0])
    body = sharing.site.body(other, *(person.key for person in persons))
    [result] = sharing.site.platform.post("/v1/statements:batch", json={"statements": [body]}).json()["results"]
    assert result["outcome"] == "accepted"
    assert state(sharing, other, persons[1]) == "draft.unknown"
