"""Agreements and what is reported under them over HTTP, on each database: bad input, attacks, money, standing."""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import replace
from types import SimpleNamespace

import httpx
import pytest
from support.tables.bad_shares import CASES, Scene
from support.worlds.http_refusals import PROBLEM_MEMBERS, quiet, rows
from support.worlds.shares_world import (
    DAY,
    Sharing,
    accounts,
    agreement,
    cancellation,
    claim,
    contribution,
    countersignature,
    equal,
    now,
    on_one_database,
    people,
    report,
    rotation,
    termination,
    upload,
    work,
)
from support.worlds.site_world import beside as another_process
from support.worlds.waiting import until

from deedlog.anchor.contract import contracts
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.evidence.evm_slot import EvmSlot
from deedlog.anchor.verify.inclusion import position_of
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer
from deedlog.anchor.verify.with_others import with_others
from deedlog.api.client.registry import Registry
from deedlog.registry.errors import VerificationError
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.rules import payouts
from deedlog.registry.statements.agreements import WHOLE

BEGIN = 90 * DAY


@pytest.fixture(scope="module")
def scene(sharing):
    return Scene(sharing)


@pytest.fixture(scope="module")
def database(scene):
    """The URL of the registry's database, once the scene is set and anchored."""
    local = scene.sharing.site.local
    url = local.database_url or f"sqlite:///{local.data / 'deedlog.sqlite'}"
    quiet(url)
    return url


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


def complete(sharing, statement, *signers):
    return sharing.register(statement, *signers)


def code(answer):
    return answer.json()["code"]


def shared_by(sharing, count=3):
    """Return people, the first of whom has a work, a payer, the work, and an agreement that all have signed."""
    *persons, payer = people(count + 1)
    made = sharing.register(work(persons[0]), persons[0])
    digest = complete(sharing, agreement([made], equal(persons), payer), *persons)
    return persons, payer, made, digest


# Attacks


def test_a_party_is_not_removed_without_their_consent(sharing):
    (anna, ben, cleo), payer, made, digest = shared_by(sharing)
    without = agreement([made], equal([anna, ben]), payer, supersedes=digest, effectiveFrom=now() - DAY)
    assert code(sharing.post(without, anna, ben)) == "agreement.leaves_unsigned"
    leaving = replace(without, leaving=accounts([cleo]))
    assert code(sharing.post(leaving, anna, ben)) == "signature.missing"
    assert code(sharing.post(leaving, anna, ben, payer)) == "signature.missing"
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
        assert code(sharing.site.anyone.post(path, json=body)) == "signature.signer"
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
        assert code(sharing.site.anyone.post("/v1/statements", json=body)) == "signature.signer"
    away = Sharing(SimpleNamespace(identity=replace(sharing.site.identity, salt=b"\1" * 32)))
    body = sharing.site.body(meant, anna.key)
    body["signatures"] += away.signatures(meant, ben)
    assert code(sharing.site.anyone.post("/v1/statements", json=body)) == "signature.signer"
    path = f"/v1/drafts/{to_hex(sharing.digest(meant))}/signatures"
    sent = {"signatures": away.signatures(meant, ben)}
    assert code(sharing.site.anyone.post(path, json=sent)) == "signature.signer"


def at_once(sharing, second, *statements, by):
    """Post statements at the same moment, each to another web process; return the answers."""
    start = threading.Barrier(len(statements))
    answers = [None] * len(statements)

    def post(position, url, statement):
        with httpx.Client(base_url=url, timeout=30) as client:
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
        (anna, ben), payer, made, digest = shared_by(sharing, 2)
        amended = agreement([made], equal([anna, ben]), payer, supersedes=digest, effectiveFrom=now() - DAY)
        answers = at_once(sharing, second, amended, termination(digest, now() - DAY), by=(anna, ben))
        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [201, 409], [answer.text for answer in answers]
        won, lost = answers if statuses[0] == 201 else reversed(answers)
        expected = {"Agreement": "superseded", "Termination": "terminated"}[won.json()["kind"]]
        assert code(lost) == f"agreement.{expected}"
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
        assert code(answers[1]) == "agreement.stale"
        assert answers[1].json()["params"]["other"] == answers[0].json()["digest"]


def test_a_second_agreement_holds_for_another_payer_or_another_time(sharing):
    (anna, ben, _), payer, made, digest = shared_by(sharing)
    [other_payer] = people(1)
    again = agreement([made], equal([anna, ben]), payer)
    refused = sharing.post(again, anna, ben)
    assert (code(refused), refused.json()["params"]["other"]) == ("agreement.stale", to_hex(digest))
    assert sharing.post(replace(again, payer=other_payer.account), anna, ben).status_code == 201


def test_a_payer_who_hands_over_stays_one_payer(sharing):
    """Else two agreements of what is the same payer would cover one work."""
    (anna, ben, _), payer, made, digest = shared_by(sharing)
    [successor] = people(1)
    sharing.register(work(payer), payer)
    sharing.register(rotation(payer, successor), payer, successor)
    again = agreement([made], equal([anna, ben]), successor)
    refused = sharing.post(again, anna, ben)
    assert (code(refused), refused.json()["params"]["other"]) == ("agreement.stale", to_hex(digest))
    begin = now() - BEGIN
    reported = report(made, successor, begin + DAY, begin + 2 * DAY, 100)
    assert sharing.post(reported, successor).status_code == 201
    assert code(sharing.post(report(made, payer, begin, begin + DAY, 100), payer)) == "account.rotated_away"


def proven(sharing, digest, person=None):
    """Return a statement's bundle once it is logged."""
    path = f"/v1/statements/{to_hex(digest)}"
    until(lambda: sharing.get(path, person).json()["log_index"] is not None, "it is logged")
    return bundles.parse(sharing.get(f"{path}/bundle", person).content, contracts())


@on_one_database
def test_a_claim_counts_only_with_the_platforms_own_word(sharing):
    """A platform shows a claim that it never countersigned: the verdict's author stays the platform's word only."""
    platform, creator, other_platform, rival = people(4)
    site = sharing.site
    uploaded = sharing.register(upload(platform), platform, client=site.platform)
    shown = proven(sharing, uploaded)
    claimed = sharing.register(claim(uploaded, creator), creator)
    assert sharing.standing(claimed) == "claim.claimed"
    assert sharing.standing(uploaded) == "upload.unclaimed"
    pins = Pins(registry=site.identity.address)
    claim_bundle = proven(sharing, claimed)

    def author(*beside):
        finding = with_others(verify(shown, pins), shown, pins, beside).findings["author"]
        return finding.answer, finding.code

    assert author() == author(claim_bundle) == (Answer.NOT_CHECKED, "author.platform_only")
    # Somebody else's word confirms nothing, at the registry or beside the claim.
    for person in (creator, other_platform):
        confirmed = countersignature(claimed, person)
        assert code(sharing.post(confirmed, person)) == "countersignature.of_another"
    elsewhere = sharing.register(upload(other_platform), other_platform, client=site.platform)
    theirs = sharing.register(claim(elsewhere, creator), creator)
    of_theirs = sharing.register(countersignature(theirs, other_platform), other_platform)
    mixed = [proven(sharing, digest) for digest in (theirs, of_theirs)]
    assert author(claim_bundle, *mixed) == (Answer.NOT_CHECKED, "author.platform_only")
    word = sharing.register(countersignature(claimed, platform), platform)
    assert sharing.standing(claimed) == "claim.confirmed"
    assert sharing.standing(uploaded) == "upload.claimed"
    word_bundle = proven(sharing, word)
    for beside in ((claim_bundle, word_bundle), (word_bundle, claim_bundle)):
        assert author(*beside) == (Answer.YES, "author.claimed")
    finding = with_others(verify(shown, pins), shown, pins, [claim_bundle, word_bundle]).findings["author"]
    assert finding.params["accounts"] == creator.shown
    assert author(word_bundle) == (Answer.NOT_CHECKED, "author.platform_only")
    late = sharing.register(claim(uploaded, rival), rival)
    refused = sharing.post(countersignature(late, platform), platform)
    assert (code(refused), refused.json()["params"]["other"]) == ("claim.taken", to_hex(claimed))


@on_one_database
def test_whoever_signed_a_cancellation_it_is_not_said_to_be_complete(sharing):
    """Anybody may say so of what they do not have: who its parties are stands in a draft that was never here."""
    [stranger] = people(1)
    shown = proven(sharing, sharing.register(cancellation(secrets.token_bytes(32)), stranger))
    beside = proven(sharing, sharing.register(work(stranger), stranger))
    pins = Pins(registry=sharing.site.identity.address)
    found = with_others(verify(shown, pins), shown, pins, [beside]).findings
    assert (found["complete"].answer, found["standing"].code) == (Answer.NOT_CHECKED, "standing.counts")


@on_one_database
def test_bundles_stand_in_the_logs_order_whatever_a_proof_says_that_nobody_vouches_for(sharing):
    """Of two anchors one is vouched for; the other, made up with a chain of one's own, may name another index."""
    platform, creator = people(2)
    uploaded = sharing.register(upload(platform), platform, client=sharing.site.platform)
    claimed = sharing.register(claim(uploaded, creator), creator)
    shown, beside = proven(sharing, uploaded), proven(sharing, claimed)
    proof = beside.tlog_proof or beside.anchors[0].tlog_proof
    index = position_of(beside)
    lied = proof.replace(b"index %d\n" % index, b"index 0\n")
    assert lied != proof
    anchors = tuple(EvmSlot(number, text, b"", (), ()) for number, text in enumerate((lied, proof), 1))
    with pytest.raises(VerificationError) as refused:
        position_of(replace(beside, anchors=anchors, tlog_proof=None))
    assert (refused.value.code, refused.value.params) == ("bundle.indices", {"indices": f"0, {index}"})
    pins = Pins(registry=sharing.site.identity.address)
    assert with_others(verify(shown, pins), shown, pins, [beside]).findings["standing"].code == "upload.unclaimed"
    forged = replace(beside, anchors=anchors, tlog_proof=None)
    assert with_others(verify(shown, pins), shown, pins, [forged]).findings["standing"].code == "standing.with_others"


# Who made what


def test_a_part_is_claimed_until_a_creator_confirms_it_and_nobody_can_silence_it(sharing):
    anna, ben, cleo = people(3)
    made = sharing.register(work(anna, ben), anna, ben)
    part = sharing.register(contribution(made, cleo, role="camera", degree="lead"), cleo)
    shown = sharing.statement(part).json()
    assert (shown["standing"]["code"], shown["standing"]["params"]) == ("claim.claimed", {"account": cleo.shown})
    listed = sharing.get("/v1/statements", work=to_hex(made), kind="Contribution", state="claim.claimed").json()
    assert [statement["digest"] for statement in listed["statements"]] == [to_hex(part)]
    for person in (anna, ben):
        sharing.register(countersignature(part, person), person)
    shown = sharing.statement(part).json()["standing"]
    assert shown == {"code": "claim.confirmed", "counts": True, "params": {"accounts": f"{anna.shown}, {ben.shown}"}}
    own = sharing.register(contribution(made, anna), anna)
    assert code(sharing.post(countersignature(own, anna), anna)) == "countersignature.of_oneself"
    assert sharing.post(countersignature(own, ben), ben).status_code == 201


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
    bundle = proven(sharing, sharing.digest(amended), anna)
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


# Standing


@on_one_database
def test_an_agreements_standing_at_each_moment(sharing):
    anna, ben, payer = people(3)
    instant = now()

    def made(**changes):
        on = sharing.register(work(anna), anna)
        agreed = agreement([on], equal([anna, ben]), payer, **changes)
        return on, complete(sharing, agreed, anna, ben)

    _, future = made(effectiveFrom=instant + DAY)
    _, over = made(effectiveFrom=instant - 2 * DAY, effectiveUntil=instant - DAY)
    on, first = made(effectiveFrom=instant - 2 * DAY)
    assert [sharing.standing(each) for each in (future, over, first)] == [
        *("agreement.is_agreed", "agreement.is_ended"),
        "agreement.is_in_force",
    ]
    amended = agreement([on], equal([anna, ben]), payer, supersedes=first, effectiveFrom=instant + DAY)
    second = complete(sharing, amended, anna, ben)
    assert sharing.standing(first) == "agreement.is_in_force", "until the other begins"
    assert sharing.standing(second) == "agreement.is_agreed"
    shown = sharing.statement(first).json()["standing"]["params"]
    assert shown == {"start": instant - 2 * DAY, "end": instant + DAY, "other": to_hex(second)}
    on, third = made(effectiveFrom=instant - 2 * DAY)
    complete(sharing, termination(third, instant + DAY), anna, ben)
    assert sharing.standing(third) == "agreement.is_in_force", "until it ends"
    on, fourth = made(effectiveFrom=instant - 2 * DAY)
    complete(sharing, termination(fourth, instant - DAY), anna, ben)
    assert sharing.standing(fourth) == "agreement.is_terminated"


def test_instants_beyond_2_53_are_strings_in_answers_and_end_nothing(sharing):
    anna, ben, payer = people(3)
    made = sharing.register(work(anna), anna)
    digest = complete(
        sharing,
        agreement([made], equal([anna, ben]), payer, acceptBy=2**64 - 1, effectiveFrom=2**63, effectiveUntil=2**64 - 1),
        anna,
        ben,
    )
    answer = sharing.statement(digest)
    assert answer.json()["standing"]["params"] == {"start": str(2**63), "end": str(2**64 - 1)}
    assert sharing.get(f"/v1/agreements/{to_hex(digest)}/payouts", anna).json()["status"] == "agreed"


# Money


def reported(sharing, payer, made, amounts):
    begin = now() - BEGIN
    digests = []
    for day, amount in enumerate(amounts):
        one = report(made, payer, begin + day * DAY, begin + (day + 1) * DAY, amount)
        digests.append(sharing.register(one, payer))
    return digests


def test_payouts_are_what_each_party_computes_from_their_own_line(sharing):
    anna, ben, cleo, payer = people(4)
    made = sharing.register(work(anna), anna)
    ppm = {anna: 1, ben: 333_333, cleo: WHOLE - 333_334}
    digest = complete(sharing, agreement([made], ppm, payer), anna, ben, cleo)
    amounts = [1_000_003, 0, -777_777, 2**255 - 1 - 10**9, -(2**255), 17]
    digests = reported(sharing, payer, made, amounts)
    begin = now() - BEGIN
    fix = report(made, payer, begin, begin + DAY, 999_999, corrects=digests[0])
    # The period is that of the report that it corrects, to the second.
    first = sharing.statement(digests[0], anna).json()["typed_data"]["message"]
    fix = replace(fix, periodStart=int(first["periodStart"]), periodEnd=int(first["periodEnd"]))
    digests.append(sharing.register(fix, payer))
    changes = [payouts.Change(b"", amount) for amount in [*amounts, 999_999 - 1_000_003]]
    path = f"/v1/agreements/{to_hex(digest)}/payouts"
    for person in (anna, ben, cleo, payer):
        found = sharing.get(path, person).json()
        assert (found["agreement"], found["status"], found["currency"]) == (to_hex(digest), "in_force", "CNY")
        assert [each["digest"] for each in found["reports"]] == [to_hex(each) for each in digests]
        assert [each["amount"] for each in found["reports"]] == [str(change.amount) for change in changes]
        for party, parts in ppm.items():
            paid = [each["paid"][party.shown] for each in found["reports"]]
            assert paid == [str(amount) for amount in payouts.own(parts, changes)]
        carried = 0
        for change, each in zip(changes, found["reports"], strict=True):
            carried += change.amount - sum(int(amount) for amount in each["paid"].values())
            assert int(each["carried"]) == carried
            assert 0 <= carried < len(ppm)
        assert int(found["carried"]) == carried == sum(int(amount) for amount in found["closing"].values())
    assert sharing.standing(digests[0]) == "report.is_corrected"
    assert sharing.standing(digests[-1]) == "report.counts"


@on_one_database
def test_payouts_are_not_for_who_left_nor_for_who_sent_the_agreement_alone(sharing):
    anna, ben, cleo, payer = people(4)
    made = sharing.register(work(anna), anna)
    before = complete(sharing, agreement([made], equal([anna, ben, cleo]), payer), anna, ben, cleo)
    change = now() - BEGIN + DAY
    leaving = {"supersedes": before, "leaving": accounts([cleo]), "effectiveFrom": change}
    amended = agreement([made], equal([anna, ben]), payer, **leaving)
    digest = sharing.register(amended, anna, ben, cleo, client=sharing.site.platform)
    path = f"/v1/agreements/{to_hex(digest)}/payouts"
    assert sharing.site.platform.get(path).status_code == 200, "what was reported it has sent: nothing"
    assert code(sharing.get(path, cleo)) == "statement.withheld"
    one = report(made, payer, change, change + 100, 1000)
    sharing.register(one, payer)
    assert sharing.get(path, anna).status_code == sharing.get(path, payer).status_code == 200
    assert code(sharing.get(path, cleo)) == code(sharing.site.platform.get(path)) == "statement.withheld"


@on_one_database
def test_only_works_and_uploads_are_withheld_by_who_sends_them(sharing):
    anna, ben = people(2)
    made = sharing.register(work(anna), anna)
    later = {"public_from": "2999-01-01T00:00:00Z"}
    assert code(sharing.post(contribution(made, ben), ben, **later)) == "public_from.of_no_work"
    assert sharing.register(work(ben), ben, **later)


@on_one_database
def test_payouts_come_in_pages_each_of_which_counts_what_came_before(sharing):
    anna, ben, payer = people(3)
    made = sharing.register(work(anna), anna)
    digest = complete(sharing, agreement([made], {anna: WHOLE - 1, ben: 1}, payer), anna, ben)
    begin = now() - BEGIN
    hours = [begin + 3600 * hour for hour in range(101)]
    reports = [report(made, payer, start, start + 3600, WHOLE * number) for number, start in enumerate(hours)]
    bodies = [sharing.site.body(one, payer.key) for one in reports]
    results = sharing.site.platform.post("/v1/statements:batch", json={"statements": bodies}).json()["results"]
    assert {result["outcome"] for result in results} == {"accepted"}
    path = f"/v1/agreements/{to_hex(digest)}/payouts"
    first = sharing.get(path, anna).json()
    second = sharing.get(path, anna, cursor=first["next"]).json()
    found = first["reports"] + second["reports"]
    assert (len(first["reports"]), second["next"]) == (100, None)
    assert [each["digest"] for each in found] == [to_hex(sharing.digest(one)) for one in reports]
    assert [each["paid"][ben.shown] for each in found] == [str(number) for number in range(101)]
    assert (first["carried"], first["closing"]) == (second["carried"], second["closing"])
    assert code(sharing.get(path, anna, cursor="1 or so")) == "http.cursor"
    with Registry(sharing.site.local.url, key=anna.key) as client:
        client.sign_in()
        assert client.payouts(digest).to_json()["reports"] == found


@on_one_database
def test_payouts_are_for_those_whom_the_agreement_concerns(sharing):
    persons, payer, made, digest = shared_by(sharing)
    reported(sharing, payer, made, [100])
    path = f"/v1/agreements/{to_hex(digest)}/payouts"
    [stranger] = people(1)
    for person in (None, stranger):
        answer = sharing.get(path, person)
        assert (answer.status_code, code(answer)) == (403, "statement.withheld")
    missing = sharing.get(f"/v1/agreements/0x{'ab' * 32}/payouts", stranger)
    assert (missing.status_code, code(missing)) == (404, "statement.unknown")
    assert code(sharing.get(f"/v1/agreements/{to_hex(made)}/payouts", persons[0])) == "agreement.unknown"
    assert code(sharing.get("/v1/agreements/0x12/payouts", persons[0])) == "hex.length"


def test_an_amendment_pays_what_is_reported_after_it_and_the_first_agreement_keeps_the_rest(sharing):
    (anna, ben, cleo), payer, made, digest = shared_by(sharing)
    reported(sharing, payer, made, [1_000_003])
    begin = now() - BEGIN
    change = begin + 40 * DAY
    amended = agreement(
        [made], {anna: 700_000, ben: 300_000}, payer, supersedes=digest, leaving=accounts([cleo]), effectiveFrom=change
    )
    second = complete(sharing, amended, anna, ben, cleo)
    straddling = report(made, payer, begin + 30 * DAY, begin + 50 * DAY, 5)
    refused = sharing.post(straddling, payer)
    assert (code(refused), refused.json()["params"]["time"]) == ("report.straddles", change)
    for start, end in ((straddling.periodStart, change), (change, straddling.periodEnd)):
        assert sharing.post(replace(straddling, periodStart=start, periodEnd=end), payer).status_code == 201
    before, after = (sharing.get(f"/v1/agreements/{to_hex(which)}/payouts", ben).json() for which in (digest, second))
    amounts = [[each["amount"] for each in found["reports"]] for found in (before, after)]
    assert amounts == [["1000003", "5"], ["5"]]
    assert after["reports"][0]["paid"] == {anna.shown: "3", ben.shown: "1"}
    # Who left has signed that too, and may read its terms; what is reported under it does not concern them.
    assert code(sharing.get(f"/v1/agreements/{to_hex(second)}/payouts", cleo)) == "statement.withheld"
    assert sharing.get(f"/v1/agreements/{to_hex(digest)}/payouts", cleo).json()["status"] == "superseded"


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
        assert code(sharing.propose(drafts[1], anna, client=strict)) == "quota.exceeded"
        assert sharing.sign(drafts[0], ben, client=strict).json()["outcome"] == "signed"
        assert sharing.sign(drafts[0], cleo, client=strict).json()["outcome"] == "accepted"


@on_one_database
def test_answers_have_no_number_beyond_2_53_no_account_in_small_letters_and_no_time_of_another_form(sharing):
    """What is signed is shown as it is signed, and subjects as entries have them."""
    (anna, *_), payer, made, digest = shared_by(sharing)
    [one] = reported(sharing, payer, made, [2**200])
    part = sharing.register(contribution(made, anna), anna)
    answers = [
        sharing.statement(digest, anna),
        sharing.statement(one, anna),
        sharing.statement(part),
        sharing.get(f"/v1/agreements/{to_hex(digest)}/payouts", anna),
        sharing.get("/v1/statements", work=to_hex(made)),
        sharing.get("/v1/events"),
        sharing.post(report(made, anna, 1, 2, 3), anna),
    ]
    for answer in answers:
        for name, value in _leaves(answer.json()):
            if isinstance(value, int):
                assert abs(value) < 2**53, name
            for account in re.findall(r"0x[0-9a-fA-F]{40}\b", str(value)):
                assert account == to_checksum(bytes.fromhex(account[2:])), name
            if name in ("at", "public_from") or name.endswith("_at"):
                assert value is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), name


def _leaves(value, name=""):
    if isinstance(value, dict):
        for each, inner in value.items():
            if each not in ("typed_data", "subjects"):
                yield from _leaves(inner, each)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, name)
    else:
        yield name, value
