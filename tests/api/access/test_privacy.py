"""Who may read what over HTTP: terms and reports are for those whom they concern, and nobody else.

What a stranger may see besides is what stands in entries: who signed what kind of statement about what, and when.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from types import SimpleNamespace

import httpx
import pytest
from support.worlds.registries.shares_world import (
    DAY,
    accounts,
    agreement,
    equal,
    now,
    on_one_database,
    people,
    report,
    rotation,
    work,
)
from support.worlds.session.waiting import before_deadline, sleep_until, until

from deedlog.anchor.contract import contracts
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.disclosure import open_line
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer
from deedlog.registry.errors import InvalidData
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements import Share, eip712
from deedlog.registry.statements.agreements import WHOLE
from deedlog.registry.statements.vocabulary import ROLES

pytestmark = on_one_database

LATER = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now() + DAY))


@pytest.fixture(scope="module")
def keys(sharing):
    """Clients with two API keys of platforms."""
    clients = []
    for name in ("carrier", "another platform"):
        made = json.loads(sharing.site.local.deedlog("api-key", "new", name, "--scope", "upload", "--json"))
        headers = {"Authorization": f"Bearer {made['secret']}"}
        clients.append(httpx.Client(base_url=sharing.site.local.url, headers=headers))
    yield SimpleNamespace(carrier=clients[0], another=clients[1])
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def story(sharing, keys):
    """An agreement that a platform carried, a report under it, and works that are withheld for a day."""
    anna, ben, cleo, payer, stranger, gone, heir = people(7)
    made = sharing.register(work(anna), anna)
    shares = {anna: 623_457, ben: 123_459, cleo: 253_084}
    # What is secret is drawn, so that no other value can equal it: the times are years before all others here.
    begin = 10**9 + secrets.randbelow(10**8)
    agreed = agreement([made], shares, payer, effectiveFrom=begin)
    digest = sharing.register(agreed, anna, ben, cleo, client=keys.carrier)
    amount = 10**40 + secrets.randbelow(10**40)
    start = begin + 1 + secrets.randbelow(10**8)  # not the agreement's own start, which everybody may see
    told = report(made, payer, start, start + 1 + secrets.randbelow(10**8), amount)
    reported = sharing.register(told, payer, client=keys.carrier)
    hidden = work(anna, ben, title=f"A secret title {secrets.token_hex()}")
    withheld = sharing.register(hidden, anna, ben, client=keys.carrier, public_from=LATER)
    past = work(anna)
    opened = sharing.register(past, anna, public_from="2026-01-01T00:00:00Z")
    of_gone = work(gone, title=f"Another secret title {secrets.token_hex()}")
    theirs = sharing.register(of_gone, gone, public_from=LATER)
    sharing.register(rotation(gone, heir), gone, heir)
    for each in (made, digest, reported, withheld, opened, theirs):
        until(lambda each=each: sharing.statement(each).json()["log_index"] is not None, "it is logged")
    return SimpleNamespace(
        anna=anna,
        ben=ben,
        cleo=cleo,
        payer=payer,
        stranger=stranger,
        gone=gone,
        heir=heir,
        work=made,
        agreed=agreed,
        agreement=digest,
        told=told,
        report=reported,
        hidden=hidden,
        withheld=withheld,
        opened=opened,
        of_gone=of_gone,
        theirs=theirs,
    )


def asked(sharing, keys, who, story, path, **query):
    """Ask as one of the story's people, as a platform's client, or as nobody."""
    if who in ("carrier", "another"):
        return getattr(keys, who).get(path, params=query)
    return sharing.get(path, None if who == "nobody" else getattr(story, who), **query)


READERS = {
    "agreement": {"anna", "ben", "cleo", "payer", "carrier"},
    "report": {"anna", "ben", "cleo", "payer", "carrier"},
    "withheld": {"anna", "ben", "carrier"},
    "theirs": {"heir"},
    "opened": {"anna", "ben", "cleo", "payer", "carrier", "stranger", "nobody", "another", "gone", "heir"},
}


@pytest.mark.parametrize("who", sorted(READERS["opened"]))
@pytest.mark.parametrize("what", READERS)
def test_who_reads_what(sharing, keys, story, what, who):
    digest = getattr(story, what)
    path = f"/v1/statements/{to_hex(digest)}"
    shown = asked(sharing, keys, who, story, path).json()
    bundle = asked(sharing, keys, who, story, f"{path}/bundle")
    listed = asked(sharing, keys, who, story, "/v1/statements", account=shown["signatures"][0]["account"]).json()
    [in_list] = [each for each in listed["statements"] if each["digest"] == to_hex(digest)]
    for found in (shown, in_list):
        assert found["withheld"] == (who not in READERS[what])
        assert (found["typed_data"] is None) == (who not in READERS[what])
        assert found["standing"]["code"] != "standing.no_body", "what it comes to is for all to see"
    if who in READERS[what]:
        assert bundle.status_code == 200
        verdict = verify(bundles.parse(bundle.content, contracts()), Pins(registry=sharing.site.identity.address))
        assert verdict.digest == digest
    else:
        assert (bundle.status_code, bundle.json()["code"]) == (403, "statement.withheld")


def test_a_platform_that_only_carried_the_last_signature_reads_nothing(sharing, keys, story):
    anna, ben, payer = people(3)
    made = sharing.register(work(anna), anna)
    draft = agreement([made], equal([anna, ben]), payer)
    sharing.propose(draft, anna, client=keys.carrier)
    assert sharing.sign(draft, ben, client=keys.another).json()["outcome"] == "accepted"
    path = f"/v1/statements/{to_hex(sharing.digest(draft))}"
    assert asked(sharing, keys, "another", story, path).json()["withheld"]
    assert not asked(sharing, keys, "carrier", story, path).json()["withheld"], "it sent the terms"


def test_who_leaves_reads_what_they_signed_and_no_report_after_it(sharing):
    anna, ben, cleo, payer = people(4)
    made = sharing.register(work(anna), anna)
    digest = sharing.register(agreement([made], equal([anna, ben, cleo]), payer), anna, ben, cleo)
    change = now() - 50 * DAY
    leaving = {"supersedes": digest, "leaving": accounts([cleo]), "effectiveFrom": change}
    amended = sharing.register(agreement([made], equal([anna, ben]), payer, **leaving), anna, ben, cleo)
    after = sharing.register(report(made, payer, change, change + DAY, 5), payer)
    assert not sharing.statement(amended, cleo).json()["withheld"]
    assert not sharing.statement(after, ben).json()["withheld"]
    assert sharing.statement(after, cleo).json()["withheld"]


def everything(sharing, keys, who, story):
    """Return the text of all that somebody is answered, wherever they ask."""
    texts = []
    cursor = None
    digests = []
    while True:
        query = {} if cursor is None else {"cursor": cursor}
        answer = asked(sharing, keys, who, story, "/v1/statements", **query)
        texts.append(answer.text)
        page = answer.json()
        digests += [each["digest"] for each in page["statements"]]
        cursor = page["next"]
        if cursor is None:
            break
    ours = {to_hex(getattr(story, what)) for what in ("agreement", "report", "withheld", "theirs", "work")}
    assert ours <= set(digests)
    for digest in ours:
        paths = [f"/v1/statements/{digest}{more}" for more in ("", "/bundle")]
        paths += [f"/v1/drafts/{digest}", f"/v1/agreements/{digest}/payouts"]
        texts += [asked(sharing, keys, who, story, path).text for path in paths]
        texts.append(asked(sharing, keys, who, story, "/v1/statements", work=digest).text)
    cursor = None
    while True:
        query = {} if cursor is None else {"after": cursor}
        answer = asked(sharing, keys, who, story, "/v1/events", **query)
        texts.append(answer.text)
        if answer.json()["next"] == cursor:
            break
        cursor = answer.json()["next"]
    paths = ["/", "/v1/registry", "/v1/anchors", "/v1/drafts", "/metrics", "/healthz", "/readyz", "/log/checkpoint"]
    texts += [asked(sharing, keys, who, story, path).text for path in paths]
    size = int(asked(sharing, keys, who, story, "/log/checkpoint").text.split("\n")[1])
    for number in range(-(-size // 256)):
        width = min(256, size - 256 * number)
        for kind in ("entries", "0"):
            tile = f"/log/tile/{kind}/{number:03}" + ("" if width == 256 else f".p/{width}")
            found = asked(sharing, keys, who, story, tile)
            assert found.status_code == 200, tile
            texts.append(found.content.decode("utf-8", "replace"))
    return "\n".join(texts)


def secrets_of(story):
    """Return what nobody but those whom it concerns may find: by name, as it would be written."""
    found = {f"ppm of {position}": str(share.ppm) for position, share in enumerate(story.agreed.shares)}
    found |= {f"salt of {position}": to_hex(share.salt) for position, share in enumerate(story.agreed.shares)}
    found |= {f"line {position}": to_hex(eip712.line_hash(share)) for position, share in enumerate(story.agreed.shares)}
    found |= {"role": '"producer"', "terms": to_hex(story.agreed.termsHash), "salt": to_hex(story.agreed.salt)}
    found |= {"amount": str(story.told.amount), "salt of the report": to_hex(story.told.salt)}
    found |= {
        "period": str(story.told.periodStart),
        "its end": str(story.told.periodEnd),
        "currency": '"CNY"',
        "basis": '"gross"',
    }
    found |= {"title": story.hidden.title, "salt of the work": to_hex(story.hidden.salt)}
    return found | {"another title": story.of_gone.title, "salt of another work": to_hex(story.of_gone.salt)}


def found_in(text, story):
    """Return the names of the secrets that a text tells. Digits within hex or behind a decimal point are no number."""
    written = {name: re.escape(secret) for name, secret in secrets_of(story).items()}
    return {name for name, secret in written.items() if re.search(rf"(?<![0-9A-Za-z.]){secret}(?![0-9A-Za-z])", text)}


@pytest.mark.parametrize("who", ["nobody", "stranger", "another"])
def test_nothing_of_the_terms_is_in_any_answer_to_a_stranger(sharing, keys, story, who):
    text = everything(sharing, keys, who, story)
    assert found_in(text, story) == set()


def test_the_search_for_leaks_finds_what_a_party_is_told(sharing, keys, story):
    """Else the test above could not fail."""
    text = everything(sharing, keys, "anna", story)
    missing = set(secrets_of(story)) - found_in(text, story)
    assert missing == {"another title", "salt of another work", *(f"line {position}" for position in range(3))}


def test_an_opened_line_verifies_and_no_other_can_be_guessed_from_it(sharing, story):
    """Over all roles and the true parts of the others, with every salt that the file has, nothing fits."""
    whole = bundles.parse(
        sharing.get(f"/v1/statements/{to_hex(story.agreement)}/bundle", story.anna).content, contracts()
    )
    mine = open_line(whole, story.anna.account)
    text = mine.format().decode()
    hidden = [share for share in story.agreed.shares if share.party != story.anna.account]
    assert all(to_hex(share.salt) not in text and f'"ppm": {share.ppm}' not in text for share in hidden)
    verdict = verify(mine, Pins(registry=sharing.site.identity.address))
    assert verdict.digest == story.agreement
    assert {name: verdict.findings[name].answer for name in ("signatures", "complete", "included")} == dict.fromkeys(
        ("signatures", "complete", "included"), Answer.YES
    )
    complete = verdict.findings["complete"]
    assert (complete.code, complete.params["parties"]) == ("complete.some_lines", 3)
    assert complete.params["lines"] == f"{story.anna.shown} 623,457 ppm producer"
    kept = mine.typed_data["message"]
    lines_shown = [line for line in kept["shares"] if isinstance(line, dict)]
    assert [line["party"] for line in lines_shown] == [to_hex(story.anna.account)]
    hashes = {line for line in kept["shares"] if isinstance(line, str)}
    assert hashes == {to_hex(eip712.line_hash(share)) for share in hidden}
    # Those parts are the true ones: whoever guesses them right must still not be able to tell.
    salts = [bytes.fromhex(kept["salt"][2:]), bytes.fromhex(lines_shown[0]["salt"][2:]), bytes(32)]
    remaining = WHOLE - 623_457
    for share in hidden:
        near = {*range(share.ppm - 20, share.ppm + 20), remaining - share.ppm, 1, remaining - 1}
        for ppm in near:
            for role in ROLES:
                for salt in salts:
                    assert to_hex(eip712.line_hash(Share(share.party, role, ppm, salt))) not in hashes
    assert to_hex(eip712.line_hash(hidden[0])) in hashes, "a right guess would be seen"


def test_only_a_party_has_a_line_to_open(sharing, story):
    whole = bundles.parse(
        sharing.get(f"/v1/statements/{to_hex(story.agreement)}/bundle", story.payer).content, contracts()
    )
    with pytest.raises(InvalidData, match="no_line"):
        open_line(whole, story.payer.account)
    of_a_work = bundles.parse(sharing.get(f"/v1/statements/{to_hex(story.work)}/bundle").content, contracts())
    with pytest.raises(InvalidData, match="no_agreement"):
        open_line(of_a_work, story.anna.account)


def test_a_work_is_public_once_its_time_has_come(sharing):
    [anna] = people(1)

    def register(soon):
        shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(soon))
        digest = sharing.register(work(anna), anna, public_from=shown)
        return digest, sharing.statement(digest).json()

    soon, (digest, before) = before_deadline(register)
    assert before["withheld"]
    sleep_until(soon)
    assert sharing.statement(digest).json()["typed_data"]["message"]["title"]


@pytest.mark.parametrize(
    "public_from", ["tomorrow", "2026-11-24", "2026-11-24T00:00:00+00:00", "2026-13-01T00:00:00Z", 1795460000, None, ""]
)
def test_a_time_of_another_form_is_refused(sharing, public_from):
    [anna] = people(1)
    answer = sharing.post(work(anna), anna, public_from=public_from)
    assert answer.status_code == 422
    assert answer.json()["code"] in ("time.malformed", "json.null")
    assert answer.json()["field"] == "public_from"
