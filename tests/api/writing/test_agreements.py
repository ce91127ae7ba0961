"""Agreements over HTTP, on each database: bad input, attacks, races, and what they come to at each moment."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from types import SimpleNamespace

import httpx
import pytest
from support.tables.bad_shares import CASES, Scene
from support.worlds.registries.http_refusals import PROBLEM_MEMBERS, code_of, quiet, rows
from support.worlds.registries.shares_world import (
    DAY,
    Sharing,
    accounts,
    agreement,
    cancellation,
    equal,
    now,
    on_one_database,
    people,
    termination,
    work,
)
from support.worlds.registries.site_world import beside as another_process

from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer
from deedlog.anchor.verify.with_others import with_others
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.agreements import WHOLE


@pytest.fixture(scope="module")
def scene(sharing):
    return Scene(sharing)


@pytest.fixture(scope="module")
def database(scene):
    """The URL of the registry's database, once the scene is set and anchored."""
    local = scene.sharing.site.local
    quiet(local.database)
    return local.database


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_named_in_both_languages_and_changes_nothing(scene, database, name):
    make, status, code, field, english = CASES[name]
    site, request = make(scene)
    path, body = request if isinstance(request, tuple) else ("/v1/statements", request)
    before = rows(database)
    problems = {}
    for language in ("en", "zh"):
        answer = site.anyone.post(path, json=body, headers={"Accept-Language": language})
        problem = problems[language] = answer.json()
        assert set(problem) == PROBLEM_MEMBERS, answer.text
        assert (answer.status_code, problem["status"], problem["code"], problem["field"]) == (
            *(status, status),
            *(code, field),
        ), answer.text
        assert "<" not in problem["detail"], "a parameter of the text was not given"
    assert english in problems["en"]["detail"]
    assert any("\u4e00" <= character <= "\u9fff" for character in problems["zh"]["detail"])
    assert {**problems["en"], "detail": ""} == {**problems["zh"], "detail": ""}
    assert rows(database) == before


def test_a_party_is_not_removed_without_their_consent(sharing):
    (anna, ben, cleo), payer, made, digest = sharing.share_a_work()
    without = agreement([made], equal([anna, ben]), payer, supersedes=digest, effectiveFrom=now() - DAY)
    assert code_of(sharing.post(without, anna, ben)) == "agreement.leaves_unsigned"
    leaving = replace(without, leaving=accounts([cleo]))
    assert code_of(sharing.post(leaving, anna, ben)) == "signature.missing"
    assert code_of(sharing.post(leaving, anna, ben, payer)) == "signature.missing"
    assert sharing.standing(digest) == "agreement.is_in_force"
    assert sharing.post(leaving, anna, ben, cleo).status_code == 201
    assert sharing.standing(digest) == "agreement.is_superseded"


@on_one_database
def test_shares_do_not_change_after_two_of_three_have_signed(sharing):
    anna, ben, cleo, payer = people(4)
    made = sharing.register(work(anna), anna)
    fair = agreement([made], equal([anna, ben, cleo]), payer)
    sharing.propose(fair, anna)
    sharing.sign(fair, ben)
    greedy = replace(fair, shares=agreement([made], {anna: 1, ben: 1, cleo: WHOLE - 2}, payer).shares)
    body = sharing.site.body(greedy, cleo.key)
    body["signatures"] += sharing.signatures(fair, anna, ben)
    for path in ("/v1/statements", "/v1/drafts"):
        assert code_of(sharing.site.anyone.post(path, json=body)) == "signature.signer"
    assert sharing.propose(greedy, cleo).json()["missing"] == [anna.shown, ben.shown], "nobody else has signed that"
    assert sharing.sign(fair, cleo).json()["outcome"] == "accepted"
    shown = sharing.statement(sharing.digest(fair), anna).json()["typed_data"]["message"]["shares"]
    assert [line["ppm"] for line in shown] == [333_334, 333_333, 333_333]


@on_one_database
def test_a_signature_is_good_for_one_work_one_registry_and_one_version(sharing):
    anna, ben, payer = people(3)
    works = [sharing.register(work(anna), anna) for _ in range(2)]
    meant = agreement(works[:1], equal([anna, ben]), payer)
    sharing.propose(meant, anna)
    elsewhere = replace(meant, works=(works[1],))
    later = replace(meant, acceptBy=meant.acceptBy + 1)
    for other in (elsewhere, later):
        body = sharing.site.body(other, anna.key)
        body["signatures"] += sharing.signatures(meant, ben)
        assert code_of(sharing.site.anyone.post("/v1/statements", json=body)) == "signature.signer"
    away = Sharing(SimpleNamespace(identity=replace(sharing.site.identity, salt=b"\1" * 32)))
    body = sharing.site.body(meant, anna.key)
    body["signatures"] += away.signatures(meant, ben)
    assert code_of(sharing.site.anyone.post("/v1/statements", json=body)) == "signature.signer"
    path = f"/v1/drafts/{to_hex(sharing.digest(meant))}/signatures"
    sent = {"signatures": away.signatures(meant, ben)}
    assert code_of(sharing.site.anyone.post(path, json=sent)) == "signature.signer"


def at_once(sharing, second, *statements, by):
    """Post statements at the same moment, each to another web process; return the answers."""
    start = threading.Barrier(len(statements))
    answers = [None] * len(statements)

    def post(position, url, statement):
        with httpx.Client(base_url=url) as client:
            client.get("/healthz")
            body = sharing.site.body(statement, *(person.key for person in by))
            start.wait()
            answers[position] = client.post("/v1/statements", json=body)

    urls = (sharing.site.local.url, second)
    threads = [threading.Thread(target=post, args=each) for each in zip((0, 1), urls, statements, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_an_amendment_and_a_termination_at_once_one_wins_and_the_other_says_so(sharing, second):
    for _ in range(6):
        (anna, ben), payer, made, digest = sharing.share_a_work(2)
        amended = agreement([made], equal([anna, ben]), payer, supersedes=digest, effectiveFrom=now() - DAY)
        answers = at_once(sharing, second, amended, termination(digest, now() - DAY), by=(anna, ben))
        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [201, 409], [answer.text for answer in answers]
        won, lost = answers if statuses[0] == 201 else reversed(answers)
        expected = {"Agreement": "superseded", "Termination": "terminated"}[won.json()["kind"]]
        assert code_of(lost) == f"agreement.{expected}"
        assert lost.json()["params"]["other"] == won.json()["digest"]
        assert sharing.standing(digest) == f"agreement.is_{expected}"


def test_of_two_agreements_on_one_work_at_once_one_is_stale_and_names_the_other(sharing, second):
    for _ in range(4):
        anna, ben, payer = people(3)
        made = sharing.register(work(anna), anna)
        rivals = [agreement([made], {anna: ppm, ben: WHOLE - ppm}, payer) for ppm in (100_000, 900_000)]
        answers = at_once(sharing, second, *rivals, by=(anna, ben))
        answers.sort(key=lambda answer: answer.status_code)
        assert [answer.status_code for answer in answers] == [201, 409]
        assert code_of(answers[1]) == "agreement.stale"
        assert answers[1].json()["params"]["other"] == answers[0].json()["digest"]


def test_a_second_agreement_holds_for_another_payer_or_another_time(sharing):
    (anna, ben, _), payer, made, digest = sharing.share_a_work()
    [other_payer] = people(1)
    again = agreement([made], equal([anna, ben]), payer)
    refused = sharing.post(again, anna, ben)
    assert (code_of(refused), refused.json()["params"]["other"]) == ("agreement.stale", to_hex(digest))
    assert sharing.post(replace(again, payer=other_payer.account), anna, ben).status_code == 201


@on_one_database
def test_whoever_signed_a_cancellation_it_is_not_said_to_be_complete(sharing):
    """Anybody may say so of what they do not have: who its parties are stands in a draft that was never here."""
    [stranger] = people(1)
    shown = sharing.proven(sharing.register(cancellation(secrets.token_bytes(32)), stranger))
    beside = sharing.proven(sharing.register(work(stranger), stranger))
    pins = Pins(registry=sharing.site.identity.address)
    found = with_others(verify(shown, pins), shown, pins, [beside]).findings
    assert (found["complete"].answer, found["standing"].code) == (Answer.NOT_CHECKED, "standing.counts")


@on_one_database
def test_the_largest_agreement_is_amended_by_127_people(sharing):
    """64 parties and 64 works; then all but one leave, and as many come."""
    anna, payer, *others = people(128)
    works = [sharing.register(work(anna), anna) for _ in range(64)]
    first, second = [anna, *others[:63]], [anna, *others[63:]]
    agreed = agreement(works, equal(first), payer)
    digest = sharing.register(agreed, *first)
    leaving = {"supersedes": digest, "leaving": accounts(others[:63]), "effectiveFrom": now() - DAY}
    amended = agreement(works, equal(second), payer, **leaving)
    assert sharing.propose(amended, *first).json()["missing"] == [person.shown for person in sorted(second[1:])]
    assert sharing.sign(amended, *second[1:]).json()["outcome"] == "accepted"
    assert sharing.standing(digest) == "agreement.is_superseded"
    bundle = sharing.proven(sharing.digest(amended), anna)
    found = verify(bundle, Pins(registry=sharing.site.identity.address)).findings
    assert {found[name].answer for name in ("signatures", "complete", "included")} == {Answer.YES}


@on_one_database
def test_typed_data_has_a_salt_of_its_own_for_each_line(sharing):
    """One salt for all, or none, and whoever sees one line could guess the others."""
    anna, ben, payer = people(3)
    made = agreement([b"\1" * 32], equal([anna, ben]), payer)
    fields = made.message()
    for struct in (fields, *fields["shares"]):
        del struct["salt"]
    answer = sharing.site.anyone.post("/v1/typed-data/Agreement", json=fields)
    assert answer.status_code == 200, answer.text
    message = answer.json()["typed_data"]["message"]
    salts = {struct["salt"] for struct in (message, *message["shares"])}
    assert len(salts) == 3
    assert {**message, "salt": "", "shares": []} == {**fields, "salt": "", "shares": []}


@on_one_database
def test_an_agreements_standing_at_each_moment(sharing):
    anna, ben, payer = people(3)
    instant = now()

    def made(**changes):
        on = sharing.register(work(anna), anna)
        agreed = agreement([on], equal([anna, ben]), payer, **changes)
        return on, sharing.register(agreed, anna, ben)

    _, future = made(effectiveFrom=instant + DAY)
    _, over = made(effectiveFrom=instant - 2 * DAY, effectiveUntil=instant - DAY)
    on, first = made(effectiveFrom=instant - 2 * DAY)
    assert [sharing.standing(each) for each in (future, over, first)] == [
        *("agreement.is_agreed", "agreement.is_ended"),
        "agreement.is_in_force",
    ]
    amended = agreement([on], equal([anna, ben]), payer, supersedes=first, effectiveFrom=instant + DAY)
    second = sharing.register(amended, anna, ben)
    assert sharing.standing(first) == "agreement.is_in_force", "until the other begins"
    assert sharing.standing(second) == "agreement.is_agreed"
    shown = sharing.statement(first).json()["standing"]["params"]
    assert shown == {"start": instant - 2 * DAY, "end": instant + DAY, "other": to_hex(second)}
    on, third = made(effectiveFrom=instant - 2 * DAY)
    sharing.register(termination(third, instant + DAY), anna, ben)
    assert sharing.standing(third) == "agreement.is_in_force", "until it ends"
    on, fourth = made(effectiveFrom=instant - 2 * DAY)
    sharing.register(termination(fourth, instant - DAY), anna, ben)
    assert sharing.standing(fourth) == "agreement.is_terminated"


def test_instants_beyond_2_53_are_strings_in_answers_and_end_nothing(sharing):
    anna, ben, payer = people(3)
    made = sharing.register(work(anna), anna)
    digest = sharing.register(
        agreement([made], equal([anna, ben]), payer, acceptBy=2**64 - 1, effectiveFrom=2**63, effectiveUntil=2**64 - 1),
        anna,
        ben,
    )
    answer = sharing.statement(digest)
    assert answer.json()["standing"]["params"] == {"start": str(2**63), "end": str(2**64 - 1)}
    assert sharing.get(f"/v1/agreements/{to_hex(digest)}/payouts", anna).json()["status"] == "agreed"


@on_one_database
def test_the_quota_of_who_signed_is_not_used_by_the_signatures_of_others(sharing):
    """Each signature counts once, for the account that gave it."""
    (anna, ben, cleo), payer = people(3), people(1)[0]
    made = sharing.register(work(anna), anna)
    drafts = [agreement([made], equal([anna, ben, cleo]), payer) for _ in range(2)]
    with another_process(sharing.site, DEEDLOG_QUOTA_PER_ACCOUNT="1/day") as strict:
        assert sharing.propose(drafts[0], anna, client=strict).json()["outcome"] == "proposed"
        for _ in range(3):
            assert sharing.propose(drafts[0], anna, client=strict).json()["outcome"] == "known"
        assert code_of(sharing.propose(drafts[1], anna, client=strict)) == "quota.exceeded"
        assert sharing.sign(drafts[0], ben, client=strict).json()["outcome"] == "signed"
        assert sharing.sign(drafts[0], cleo, client=strict).json()["outcome"] == "accepted"
