"""What is reported and paid under agreements over HTTP, on each database: to the last unit, in pages, and to whom."""

from __future__ import annotations

import re
from dataclasses import replace

from support.worlds.registries.http_refusals import code_of
from support.worlds.registries.shares_world import (
    DAY,
    accounts,
    agreement,
    contribution,
    equal,
    now,
    on_one_database,
    people,
    report,
    rotation,
    work,
)

from deedlog.api.client.registry import Registry
from deedlog.registry.hexadecimal import to_checksum, to_hex
from deedlog.registry.rules import payouts
from deedlog.registry.statements.agreements import WHOLE

BEGIN = 90 * DAY


def test_a_payer_who_hands_over_stays_one_payer(sharing):
    """Else two agreements of what is the same payer would cover one work."""
    (anna, ben, _), payer, made, digest = sharing.share_a_work()
    [successor] = people(1)
    sharing.register(work(payer), payer)
    sharing.register(rotation(payer, successor), payer, successor)
    again = agreement([made], equal([anna, ben]), successor)
    refused = sharing.post(again, anna, ben)
    assert (code_of(refused), refused.json()["params"]["other"]) == ("agreement.stale", to_hex(digest))
    begin = now() - BEGIN
    reported = report(made, successor, begin + DAY, begin + 2 * DAY, 100)
    assert sharing.post(reported, successor).status_code == 201
    assert code_of(sharing.post(report(made, payer, begin, begin + DAY, 100), payer)) == "account.rotated_away"


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
    digest = sharing.register(agreement([made], ppm, payer), anna, ben, cleo)
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
    before = sharing.register(agreement([made], equal([anna, ben, cleo]), payer), anna, ben, cleo)
    change = now() - BEGIN + DAY
    leaving = {"supersedes": before, "leaving": accounts([cleo]), "effectiveFrom": change}
    amended = agreement([made], equal([anna, ben]), payer, **leaving)
    digest = sharing.register(amended, anna, ben, cleo, client=sharing.site.platform)
    path = f"/v1/agreements/{to_hex(digest)}/payouts"
    assert sharing.site.platform.get(path).status_code == 200, "what was reported it has sent: nothing"
    assert code_of(sharing.get(path, cleo)) == "statement.withheld"
    one = report(made, payer, change, change + 100, 1000)
    sharing.register(one, payer)
    assert sharing.get(path, anna).status_code == sharing.get(path, payer).status_code == 200
    assert code_of(sharing.get(path, cleo)) == code_of(sharing.site.platform.get(path)) == "statement.withheld"


@on_one_database
def test_payouts_come_in_pages_each_of_which_counts_what_came_before(sharing):
    anna, ben, payer = people(3)
    made = sharing.register(work(anna), anna)
    digest = sharing.register(agreement([made], {anna: WHOLE - 1, ben: 1}, payer), anna, ben)
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
    assert code_of(sharing.get(path, anna, cursor="1 or so")) == "http.cursor"
    with Registry(sharing.site.local.url, key=anna.key) as client:
        client.sign_in()
        assert client.payouts(digest).to_json()["reports"] == found


@on_one_database
def test_payouts_are_for_those_whom_the_agreement_concerns(sharing):
    persons, payer, made, digest = sharing.share_a_work()
    reported(sharing, payer, made, [100])
    path = f"/v1/agreements/{to_hex(digest)}/payouts"
    [stranger] = people(1)
    for person in (None, stranger):
        answer = sharing.get(path, person)
        assert (answer.status_code, code_of(answer)) == (403, "statement.withheld")
    missing = sharing.get(f"/v1/agreements/0x{'ab' * 32}/payouts", stranger)
    assert (missing.status_code, code_of(missing)) == (404, "statement.unknown")
    assert code_of(sharing.get(f"/v1/agreements/{to_hex(made)}/payouts", persons[0])) == "agreement.unknown"
    assert code_of(sharing.get("/v1/agreements/0x12/payouts", persons[0])) == "hex.length"


def test_an_amendment_pays_what_is_reported_after_it_and_the_first_agreement_keeps_the_rest(sharing):
    (anna, ben, cleo), payer, made, digest = sharing.share_a_work()
    reported(sharing, payer, made, [1_000_003])
    begin = now() - BEGIN
    change = begin + 40 * DAY
    amended = agreement(
        [made], {anna: 700_000, ben: 300_000}, payer, supersedes=digest, leaving=accounts([cleo]), effectiveFrom=change
    )
    second = sharing.register(amended, anna, ben, cleo)
    straddling = report(made, payer, begin + 30 * DAY, begin + 50 * DAY, 5)
    refused = sharing.post(straddling, payer)
    assert (code_of(refused), refused.json()["params"]["time"]) == ("report.straddles", change)
    for start, end in ((straddling.periodStart, change), (change, straddling.periodEnd)):
        assert sharing.post(replace(straddling, periodStart=start, periodEnd=end), payer).status_code == 201
    before, after = (sharing.get(f"/v1/agreements/{to_hex(which)}/payouts", ben).json() for which in (digest, second))
    amounts = [[each["amount"] for each in found["reports"]] for found in (before, after)]
    assert amounts == [["1000003", "5"], ["5"]]
    assert after["reports"][0]["paid"] == {anna.shown: "3", ben.shown: "1"}
    # Who left has signed that too, and may read its terms; what is reported under it does not concern them.
    assert code_of(sharing.get(f"/v1/agreements/{to_hex(second)}/payouts", cleo)) == "statement.withheld"
    assert sharing.get(f"/v1/agreements/{to_hex(digest)}/payouts", cleo).json()["status"] == "superseded"


@on_one_database
def test_answers_have_no_number_beyond_2_53_no_account_in_small_letters_and_no_time_of_another_form(sharing):
    """What is signed is shown as it is signed, and subjects as entries have them."""
    (anna, *_), payer, made, digest = sharing.share_a_work()
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
