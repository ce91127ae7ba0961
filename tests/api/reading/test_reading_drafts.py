"""Drafts as they are read over HTTP, on each database: lists, what is shown, and that others find nothing."""

from __future__ import annotations

import secrets

from support.worlds.registries.draft_world import three
from support.worlds.registries.http_refusals import code_of
from support.worlds.registries.shares_world import (
    accounts,
    agreement,
    equal,
    on_one_database,
    people,
    rotation,
    work,
)

from deedlog.registry.hexadecimal import to_hex


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
    assert code_of(sharing.get("/v1/drafts", anna, kind="Song")) == "statement.unknown_kind"
    assert code_of(sharing.get("/v1/drafts", anna, cursor="x")) == "http.cursor"


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
            assert (answer.status_code, code_of(answer)) == (401, "sign_in.missing")
            assert answer.headers["www-authenticate"] == "Bearer"
    listing = sharing.get("/v1/drafts")
    assert (listing.status_code, code_of(listing)) == (401, "sign_in.missing")
    platform = sharing.site.platform.get(f"/v1/drafts/{to_hex(digest)}")
    assert (platform.status_code, code_of(platform)) == (401, "sign_in.missing")


def test_a_key_that_was_rotated_away_reads_no_draft_and_its_successor_does(sharing):
    (anna, ben, cleo), _, _, made = three(sharing)
    sharing.propose(made, anna)
    digest = sharing.digest(made)
    assert sharing.draft(digest, cleo).status_code == 200
    [dora] = people(1)
    sharing.register(rotation(cleo, dora), cleo, dora)
    assert code_of(sharing.draft(digest, cleo)) == "draft.unknown"
    assert sharing.get("/v1/drafts", cleo).json()["drafts"] == []
    shown = sharing.draft(digest, dora).json()
    # It names an account that signs nothing more, so it can never be complete: the parties propose it afresh.
    assert (shown["state"], shown["reason"]["code"]) == ("stale", "account.rotated_away")
    assert [draft["digest"] for draft in sharing.get("/v1/drafts", dora).json()["drafts"]] == [to_hex(digest)]
    for person in (cleo, ben):
        assert code_of(sharing.sign(made, person)) == "account.rotated_away"
    assert code_of(sharing.sign(made, dora)) == "signature.not_a_signer"


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
