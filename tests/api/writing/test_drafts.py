"""Drafts over HTTP, on each database: who signs when makes no difference, and who is no party finds nothing."""

from __future__ import annotations

import itertools
import secrets
import threading
import time

import httpx
import pytest
from support.worlds.registries.shares_world import (
    DAY,
    accounts,
    agreement,
    cancellation,
    equal,
    now,
    on_one_database,
    people,
    report,
    rotation,
    termination,
    work,
)
from support.worlds.session.waiting import before_deadline, sleep_until

from deedlog.registry.hexadecimal import from_hex, to_hex


def three(sharing):
    """Return three people, the first of whom has a work, a payer, and an agreement of the three."""
    anna, ben, cleo, payer = people(4)
    made = sharing.register(work(anna), anna)
    return (anna, ben, cleo), payer, made, agreement([made], equal([anna, ben, cleo]), payer)


def complete(sharing, statement, *signers):
    answer = sharing.post(statement, *signers)
    assert answer.status_code == 201, answer.text
    return from_hex(answer.json()["digest"], 32, None)


def code(answer):
    return answer.json()["code"]


def state(sharing, statement, person):
    answer = sharing.draft(sharing.digest(statement), person)
    return answer.json()["state"] if answer.status_code == 200 else code(answer)


def test_an_agreement_is_proposed_signed_and_accepted_with_the_last_signature(sharing):
    (anna, ben, cleo), _, _, made = three(sharing)
    digest = sharing.digest(made)
    first = sharing.propose(made, anna)
    assert (first.status_code, first.json()) == (
        201,
        {
            "digest": to_hex(digest),
            "kind": "Agreement",
            "outcome": "proposed",
            "missing": sorted((ben.shown, cleo.shown), key=str.lower),
        },
    )
    second = sharing.sign(made, ben)
    assert (second.status_code, second.json()["outcome"], second.json()["missing"]) == (201, "signed", [cleo.shown])
    assert sharing.statement(digest).status_code == 404
    last = sharing.sign(made, cleo)
    assert (last.status_code, last.json()["outcome"], last.json()["missing"]) == (201, "accepted", [])
    shown = sharing.statement(digest).json()
    assert [one["account"] for one in shown["signatures"]] == [person.shown for person in (anna, ben, cleo)]
    assert shown["standing"]["code"] == "agreement.is_in_force"
    assert code(sharing.draft(digest, anna)) == "draft.unknown", "it is a draft no more"


def test_the_order_of_signatures_never_changes_what_comes_of_them(sharing):
    for order in itertools.permutations(range(3)):
        persons, _, _, made = three(sharing)
        first, *others = (persons[position] for position in order)
        answers = [sharing.propose(made, first), *(sharing.sign(made, person) for person in others)]
        assert [answer.json()["outcome"] for answer in answers] == ["proposed", "signed", "accepted"]
        shown = sharing.statement(sharing.digest(made)).json()
        assert [one["account"] for one in shown["signatures"]] == [person.shown for person in persons]
        assert shown["standing"]["code"] == "agreement.is_in_force"


@on_one_database
@pytest.mark.parametrize("groups", [(3,), (1, 2), (2, 1)])
def test_a_platform_may_carry_several_signatures_at_once(sharing, groups):
    persons, _, _, made = three(sharing)
    waiting = iter(persons)
    outcomes = []
    for number, size in enumerate(groups):
        some = itertools.islice(waiting, size)
        send = sharing.propose if not number else sharing.sign
        outcomes.append(send(made, *some, client=sharing.site.platform).json()["outcome"])
    assert outcomes[-1] == "accepted"
    assert outcomes[:-1] == ["proposed"][: len(groups) - 1]


def test_the_proposal_sent_again_with_another_signature_signs_it(sharing):
    (anna, ben, cleo), _, _, made = three(sharing)
    assert sharing.propose(made, anna).json()["outcome"] == "proposed"
    assert sharing.propose(made, ben).json()["outcome"] == "signed"
    assert sharing.propose(made, anna, cleo).json()["outcome"] == "accepted"


def test_what_is_sent_again_is_known_before_and_after_it_is_complete(sharing):
    (anna, ben, cleo), _, _, made = three(sharing)
    sharing.propose(made, anna)
    again = sharing.propose(made, anna)
    assert (again.status_code, again.json()["outcome"]) == (200, "known")
    assert again.json()["missing"] == [ben.shown, cleo.shown]
    sharing.sign(made, ben)
    assert sharing.sign(made, ben).json()["outcome"] == "known"
    sharing.sign(made, cleo)
    for answer in (sharing.sign(made, cleo), sharing.propose(made, anna), sharing.post(made, anna, ben, cleo)):
        assert (answer.status_code, answer.json()["outcome"]) == (200, "known"), answer.text


def test_a_stranger_who_signs_what_is_complete_is_told_so(sharing):
    (anna, ben, cleo), payer, _, made = three(sharing)
    complete(sharing, made, anna, ben, cleo)
    assert code(sharing.sign(made, payer)) == "signature.not_a_signer"


@pytest.mark.parametrize("attempt", range(6))
def test_of_two_last_signatures_at_once_exactly_one_completes(sharing, second, attempt):
    """Sent to two web processes; half of the time both are sent twice. What is lost would be seen in what is kept."""
    (anna, ben, cleo), _, _, made = three(sharing)
    sharing.propose(made, anna)
    senders = [ben, cleo] * (1 + attempt % 2)
    start = threading.Barrier(len(senders))
    outcomes = []

    def accept(number, person):
        with httpx.Client(base_url=(sharing.site.local.url, second)[number % 2]) as client:
            client.get("/healthz")
            start.wait()
            answer = sharing.sign(made, person, client=client)
            outcomes.append(answer.json().get("outcome", answer.text))

    threads = [threading.Thread(target=accept, args=sender) for sender in enumerate(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("accepted") == 1, outcomes
    assert outcomes.count("signed") == 1, outcomes
    assert outcomes.count("known") == len(senders) - 2, outcomes
    shown = sharing.statement(sharing.digest(made)).json()
    assert [one["account"] for one in shown["signatures"]] == [person.shown for person in (anna, ben, cleo)]


def test_a_work_of_several_creators_is_a_draft_until_all_have_signed(sharing):
    anna, ben, cleo = people(3)
    made = work(anna, ben, cleo)
    digest = sharing.digest(made)
    assert code(sharing.post(made, anna)) == "signature.missing"
    assert sharing.propose(made, ben).json()["missing"] == [anna.shown, cleo.shown]
    assert sharing.statement(digest).status_code == 404
    listed = sharing.get("/v1/statements", content_hash=to_hex(made.contentHash)).json()["statements"]
    assert listed == []
    sharing.sign(made, cleo)
    assert sharing.sign(made, anna).json()["outcome"] == "accepted"
    assert sharing.statement(digest).json()["author"]["accounts"] == [anna.shown, ben.shown, cleo.shown]


def test_creators_who_claim_the_same_file_again_are_told_of_the_first_claim_and_leave_no_draft(sharing):
    anna, ben = people(2)
    first = work(anna, ben)
    digest = sharing.register(first, anna, ben)
    again = work(anna, ben, contentHash=first.contentHash)
    assert sharing.propose(again, anna).json()["outcome"] == "proposed"
    last = sharing.sign(again, ben)
    assert (last.status_code, last.json()["outcome"], last.json()["digest"]) == (200, "repeat", to_hex(digest))
    assert code(sharing.draft(sharing.digest(again), anna)) == "draft.unknown"
    assert sharing.get("/v1/drafts", anna).json()["drafts"] == []


def test_a_work_that_was_to_stay_private_for_a_while_stays_so_after_the_last_signature(sharing):
    anna, ben = people(2)
    made = work(anna, ben)
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now() + DAY))
    assert sharing.propose(made, anna, public_from=later).status_code == 201
    assert sharing.sign(made, ben).json()["outcome"] == "accepted"
    digest = sharing.digest(made)
    shown = sharing.statement(digest).json()
    assert (shown["withheld"], shown["typed_data"], shown["public_from"]) == (True, None, later)
    assert sharing.statement(digest, ben).json()["typed_data"]["message"]["title"] == made.title


@on_one_database
def test_a_reference_has_no_place_on_a_draft(sharing):
    anna, ben = people(2)
    answer = sharing.propose(work(anna, ben), anna, client=sharing.site.platform, reference="video-17")
    assert (answer.status_code, code(answer), answer.json()["field"]) == (422, "draft.reference", "reference")


def test_a_termination_is_signed_by_those_who_hold_the_parties_accounts(sharing):
    (anna, ben, cleo), _, _, made = three(sharing)
    digest = complete(sharing, made, anna, ben, cleo)
    [dora] = people(1)
    sharing.register(rotation(cleo, dora), cleo, dora)
    ended = termination(digest, now())
    assert code(sharing.propose(ended, cleo)) == "signature.not_a_signer"
    assert sharing.propose(ended, anna).json()["missing"] == [person.shown for person in sorted([ben, dora])]
    assert state(sharing, ended, dora) == "proposed"
    assert code(sharing.draft(sharing.digest(ended), cleo)) == "draft.unknown"
    sharing.sign(ended, dora)
    assert sharing.sign(ended, ben).json()["outcome"] == "accepted"
    assert sharing.standing(digest) == "agreement.is_terminated"


def test_a_party_who_is_succeeded_while_a_termination_waits_does_not_stop_it(sharing):
    (anna, ben, cleo), _, _, made = three(sharing)
    digest = complete(sharing, made, anna, ben, cleo)
    [dora] = people(1)
    ended = termination(digest, now())
    sharing.propose(ended, cleo)
    sharing.register(rotation(cleo, dora), cleo, dora)
    shown = sharing.draft(sharing.digest(ended), dora).json()
    assert shown["state"] == "proposed"
    waiting = {party["account"] for party in shown["parties"] if party["signed_at"] is None}
    assert waiting == {person.shown for person in (anna, ben, dora)}, "whose signature counts no more is succeeded"
    assert sharing.decline(sharing.digest(ended), dora).json()["state"] == "declined"
    assert sharing.sign(ended, ben).json()["missing"] == [person.shown for person in sorted([anna, dora])]
    assert state(sharing, ended, anna) == "declined", "who declined has declined, whoever signs"
    assert sharing.sign(ended, dora).json()["missing"] == [anna.shown]
    parties = sharing.draft(sharing.digest(ended), anna).json()["parties"]
    assert [party["account"] for party in parties] == [person.shown for person in sorted([anna, ben, dora])]
    assert sharing.sign(ended, anna).json()["outcome"] == "accepted"


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
        assert (answer.status_code, code(answer)) == (409, "agreement.cancelled")
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
        assert (code(answer), answer.json()["params"]["other"]) == ("agreement.cancelled", to_hex(cancelled))
    assert sharing.post(made, anna, ben, cleo).json()["outcome"] == "accepted"


@on_one_database
def test_only_a_party_cancels_and_only_what_is_not_complete(sharing):
    (anna, ben, cleo), payer, work_digest, made = three(sharing)
    digest = sharing.digest(made)
    sharing.propose(made, anna)
    assert code(sharing.post(cancellation(digest), payer)) == "cancellation.not_a_party"
    assert code(sharing.post(cancellation(digest), ben, payer)) == "cancellation.not_a_party"
    assert code(sharing.post(cancellation(work_digest), anna)) == "cancellation.no_draft"
    assert sharing.sign(made, ben, cleo).json()["outcome"] == "accepted"
    assert code(sharing.post(cancellation(digest), ben)) == "cancellation.complete"


def test_a_second_cancellation_is_told_of_the_first(sharing):
    (anna, ben, _), _, _, made = three(sharing)
    sharing.propose(made, anna)
    first = sharing.register(cancellation(sharing.digest(made)), ben)
    second = sharing.post(cancellation(sharing.digest(made)), anna)
    assert (code(second), second.json()["params"]["other"]) == ("agreement.cancelled", to_hex(first))


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
        assert (answer.status_code, code(answer)) == (409, "agreement.expired")
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
    assert (refused.status_code, code(refused), refused.json()["params"]["other"]) == (
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


@on_one_database
def test_what_one_signature_completes_is_accepted_at_once(sharing):
    (anna, ben, cleo), payer, made_work, made = three(sharing)
    complete(sharing, made, anna, ben, cleo)
    reported = report(made_work, payer, now() - 30 * DAY, now() - 20 * DAY, 5)
    assert sharing.propose(reported, payer).json()["outcome"] == "accepted"
    refused = sharing.propose(cancellation(secrets.token_bytes(32)), anna)
    assert (refused.status_code, code(refused)) == (422, "draft.one_signature")


def test_drafts_are_listed_by_work_kind_and_state(sharing):
    anna, ben, payer = people(3)
    works = [sharing.register(work(anna), anna) for _ in range(2)]
    drafts = [agreement([each], equal([anna, ben]), payer) for each in works]
    drafts.append(work(anna, ben))
    for draft in drafts:
        assert sharing.propose(draft, anna).status_code == 201
    sharing.decline(sharing.digest(drafts[1]), ben)

    def listed(person, **query):
        found = sharing.get("/v1/drafts", person, **query).json()
        assert found["next"] is None
        return [draft["digest"] for draft in found["drafts"]]

    names = [to_hex(sharing.digest(draft)) for draft in drafts]
    for person in (anna, ben):
        assert listed(person) == names
        assert listed(person, work=to_hex(works[0])) == names[:1]
        assert listed(person, kind="Work") == names[2:]
        assert listed(person, kind="Agreement", state="declined") == names[1:2]
        assert listed(person, state="proposed") == [names[0], names[2]]
    assert listed(payer) == []
    assert code(sharing.get("/v1/drafts", anna, kind="Song")) == "statement.unknown_kind"
    assert code(sharing.get("/v1/drafts", anna, cursor="x")) == "http.cursor"


@on_one_database
def test_lists_of_drafts_are_paged(sharing):
    anna, ben = people(2)
    names = []
    for _ in range(103):
        draft = work(anna, ben)
        sharing.propose(draft, anna)
        names.append(to_hex(sharing.digest(draft)))
    first = sharing.get("/v1/drafts", ben).json()
    assert [draft["digest"] for draft in first["drafts"]] == names[:100]
    second = sharing.get("/v1/drafts", ben, cursor=first["next"]).json()
    assert ([draft["digest"] for draft in second["drafts"]], second["next"]) == (names[100:], None)


@on_one_database
def test_to_whoever_is_no_party_a_draft_is_not_there(sharing):
    (anna, _, _), payer, _, made = three(sharing)
    sharing.propose(made, anna)
    digest, nothing = sharing.digest(made), secrets.token_bytes(32)
    [stranger] = people(1)
    for person in (stranger, payer):
        for ask in (sharing.draft, sharing.decline):
            there, missing = ask(digest, person), ask(nothing, person)
            assert there.status_code == missing.status_code == 404
            shown = {**there.json(), "params": {}, "detail": there.json()["detail"].replace(to_hex(digest), "")}
            assert shown == {**missing.json(), "params": {}, "detail": shown["detail"]}
            assert missing.json()["detail"].replace(to_hex(nothing), "") == shown["detail"]
        assert sharing.get("/v1/drafts", person).json()["drafts"] == []
    for ask in (sharing.draft, sharing.decline):
        for name in (digest, nothing):
            answer = ask(name, None)
            assert (answer.status_code, code(answer)) == (401, "sign_in.missing")
            assert answer.headers["www-authenticate"] == "Bearer"
    listing = sharing.get("/v1/drafts")
    assert (listing.status_code, code(listing)) == (401, "sign_in.missing")
    platform = sharing.site.platform.get(f"/v1/drafts/{to_hex(digest)}")
    assert (platform.status_code, code(platform)) == (401, "sign_in.missing")


def test_a_key_that_was_rotated_away_reads_no_draft_and_its_successor_does(sharing):
    (anna, ben, cleo), _, _, made = three(sharing)
    sharing.propose(made, anna)
    digest = sharing.digest(made)
    assert sharing.draft(digest, cleo).status_code == 200
    [dora] = people(1)
    sharing.register(rotation(cleo, dora), cleo, dora)
    assert code(sharing.draft(digest, cleo)) == "draft.unknown"
    assert sharing.get("/v1/drafts", cleo).json()["drafts"] == []
    shown = sharing.draft(digest, dora).json()
    # It names an account that signs nothing more, so it can never be complete: the parties propose it afresh.
    assert (shown["state"], shown["reason"]["code"]) == ("stale", "account.rotated_away")
    assert [draft["digest"] for draft in sharing.get("/v1/drafts", dora).json()["drafts"]] == [to_hex(digest)]
    for person in (cleo, ben):
        assert code(sharing.sign(made, person)) == "account.rotated_away"
    assert code(sharing.sign(made, dora)) == "signature.not_a_signer"


def test_a_rotation_may_be_signed_by_one_key_after_the_other(sharing):
    anna, dora = people(2)
    sharing.register(work(anna), anna)
    handed = rotation(anna, dora)
    assert sharing.propose(handed, anna).json()["missing"] == [dora.shown]
    assert sharing.sign(handed, dora).json()["outcome"] == "accepted"
    assert code(sharing.post(work(anna), anna)) == "account.rotated_away"


@on_one_database
def test_a_draft_shows_what_is_signed_and_when_as_its_parties_need_it(sharing):
    (anna, ben, cleo), _, _, made = three(sharing)
    sharing.propose(made, anna)
    shown = sharing.draft(sharing.digest(made), ben).json()
    assert shown["typed_data"]["message"] == made.message()
    assert shown["proposed_at"].endswith("Z")
    assert (shown["kind"], shown["reason"], shown["cancelled_by"]) == ("Agreement", None, None)
    assert [party["account"] for party in shown["parties"]] == [person.shown for person in (anna, ben, cleo)]
    assert [bool(party["signed_at"]) for party in shown["parties"]] == [True, False, False]
    assert accounts((anna, ben, cleo)) == made.parties
