"""Drafts over HTTP, on each database: who signs when makes no difference, and the last signature completes."""

from __future__ import annotations

import itertools
import secrets
import threading
import time

import httpx
import pytest
from support.worlds.registries.draft_world import complete, state, three
from support.worlds.registries.http_refusals import code_of
from support.worlds.registries.shares_world import (
    DAY,
    cancellation,
    now,
    on_one_database,
    people,
    report,
    rotation,
    termination,
    work,
)

from deedlog.registry.hexadecimal import to_hex


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
    assert code_of(sharing.draft(digest, anna)) == "draft.unknown", "it is a draft no more"


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
    assert code_of(sharing.sign(made, payer)) == "signature.not_a_signer"


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
    assert code_of(sharing.post(made, anna)) == "signature.missing"
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
    assert code_of(sharing.draft(sharing.digest(again), anna)) == "draft.unknown"
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
    assert (answer.status_code, code_of(answer), answer.json()["field"]) == (422, "draft.reference", "reference")


def test_a_termination_is_signed_by_those_who_hold_the_parties_accounts(sharing):
    (anna, ben, cleo), _, _, made = three(sharing)
    digest = complete(sharing, made, anna, ben, cleo)
    [dora] = people(1)
    sharing.register(rotation(cleo, dora), cleo, dora)
    ended = termination(digest, now())
    assert code_of(sharing.propose(ended, cleo)) == "signature.not_a_signer"
    assert sharing.propose(ended, anna).json()["missing"] == [person.shown for person in sorted([ben, dora])]
    assert state(sharing, ended, dora) == "proposed"
    assert code_of(sharing.draft(sharing.digest(ended), cleo)) == "draft.unknown"
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


@on_one_database
def test_what_one_signature_completes_is_accepted_at_once(sharing):
    (anna, ben, cleo), payer, made_work, made = three(sharing)
    complete(sharing, made, anna, ben, cleo)
    reported = report(made_work, payer, now() - 30 * DAY, now() - 20 * DAY, 5)
    assert sharing.propose(reported, payer).json()["outcome"] == "accepted"
    refused = sharing.propose(cancellation(secrets.token_bytes(32)), anna)
    assert (refused.status_code, code_of(refused)) == (422, "draft.one_signature")


def test_a_rotation_may_be_signed_by_one_key_after_the_other(sharing):
    anna, dora = people(2)
    sharing.register(work(anna), anna)
    handed = rotation(anna, dora)
    assert sharing.propose(handed, anna).json()["missing"] == [dora.shown]
    assert sharing.sign(handed, dora).json()["outcome"] == "accepted"
    assert code_of(sharing.post(work(anna), anna)) == "account.rotated_away"
