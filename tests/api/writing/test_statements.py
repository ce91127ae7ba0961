"""`/v1` as creators and platforms use it: typed data, registering, repeats, lists, bundles, problems."""

from __future__ import annotations

import pytest
from support.worlds.registries.registry_world import ALICE, BOB, PLATFORM_KEY, rendition, salt, upload, work
from support.worlds.registries.site_world import beside
from support.worlds.session.waiting import until

from deedlog.anchor.contract import contracts
from deedlog.anchor.tlog import proof as tlog_proof
from deedlog.anchor.verify import bundle as bundles
from deedlog.anchor.verify.pins import Pins
from deedlog.anchor.verify.procedure import verify
from deedlog.anchor.verify.verdict import Answer
from deedlog.api.http import examples
from deedlog.registry.hexadecimal import to_hex
from deedlog.registry.statements.eip712 import domain_separator
from deedlog.registry.statements.signatures import account_of_private_key, sign


def code(response):
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"urn:deedlog:problem:{problem['code']}"
    assert problem["status"] == response.status_code
    return problem["code"]


def _head(anchor):
    return anchor["chain_id"], anchor["size"], anchor["root"], anchor["time"], anchor["block_number"]


def test_a_statement_goes_from_fields_to_an_anchored_bundle(site):
    made = work(content=b"the way through")
    fields = {name: value for name, value in made.message().items() if name != "salt"}
    asked = site.anyone.post("/v1/typed-data/Work", json=fields).json()
    signature = sign(bytes.fromhex(asked["digest"][2:]), ALICE)
    sent = {
        "typed_data": asked["typed_data"],
        "signatures": [{"account": to_hex(signature.account), "signature": to_hex(signature.signature)}],
    }
    answer = site.anyone.post("/v1/statements?wait=logged", json=sent)
    assert answer.status_code == 201, answer.text
    assert answer.json()["digest"] == asked["digest"]
    assert answer.json()["outcome"] == "accepted"
    assert tlog_proof.parse(answer.json()["tlog_proof"].encode()).index >= 0

    def anchored():
        shown = site.anyone.get(f"/v1/statements/{asked['digest']}").json()
        return shown if shown["state"] in ("anchored", "final") else None

    shown = until(anchored)
    assert shown["typed_data"] == asked["typed_data"]
    assert shown["author"] == {"basis": "signed", "accounts": [shown["signatures"][0]["account"]]}
    assert shown["anchors"][0]["chain_id"] == 31337
    assert shown["entry_time"].endswith("Z")
    fetched = site.anyone.get(f"/v1/statements/{asked['digest']}/bundle")
    assert fetched.headers["content-type"] == bundles.MEDIA_TYPE
    bundle = bundles.parse(fetched.content, contracts())
    block_hash = bytes.fromhex(shown["anchors"][0]["proof_block_hash"][2:])
    verdict = verify(bundle, Pins(site.identity.address, (block_hash,)))
    assert verdict.findings["anchored"].answer is Answer.YES
    # An anchor turns final between two requests; its head stays what it was.
    heads = [_head(anchor) for anchor in site.anyone.get("/v1/anchors").json()["anchors"]]
    assert _head(shown["anchors"][0]) in heads


def test_repeats_and_reruns_are_answered_with_the_first_digest(site):
    first = work(content=b"again", salt=salt("first"))
    again = work(content=b"again", salt=salt("second"), title="Another title")
    digest = site.post(first, ALICE).json()["digest"]
    known = site.post(first, ALICE)
    assert (known.status_code, known.json()["outcome"], known.json()["digest"]) == (200, "known", digest)
    repeat = site.post(again, ALICE)
    assert (repeat.status_code, repeat.json()["outcome"], repeat.json()["digest"]) == (200, "repeat", digest)


def test_another_account_claiming_the_same_content_is_shown_and_not_hidden(site):
    mine = site.post(work(ALICE, b"whose"), ALICE, wait=True).json()["digest"]
    theirs = site.post(work(BOB, b"whose", salt=salt("bob")), BOB, wait=True).json()["digest"]
    assert mine != theirs
    for digest, rival in ((mine, theirs), (theirs, mine)):
        shown = site.anyone.get(f"/v1/statements/{digest}").json()
        assert [item["digest"] for item in shown["rivals"]] == [rival]
    content = work(ALICE, b"whose").message()["contentHash"]
    found = site.anyone.get("/v1/statements", params={"content_hash": content}).json()["statements"]
    assert [item["digest"] for item in found] == [mine, theirs]
    assert found[0]["log_index"] < found[1]["log_index"]


def test_a_reference_makes_a_rerun_with_a_fresh_salt_harmless(site):
    first = upload(content=b"referenced", salt=salt("r1"))
    again = upload(content=b"referenced", salt=salt("r2"))
    digest = site.post(first, PLATFORM_KEY, client=site.platform, reference="video-17").json()["digest"]
    rerun = site.post(again, PLATFORM_KEY, client=site.platform, reference="video-17")
    assert (rerun.status_code, rerun.json()["digest"]) == (200, digest)
    other = site.post(upload(content=b"else"), PLATFORM_KEY, client=site.platform, reference="video-17")
    assert (other.status_code, code(other)) == (409, "idempotency_key.other_content")
    shown = site.platform.get(f"/v1/statements/{digest}").json()
    assert shown["references"] == ["video-17"]
    assert shown["author"]["basis"] == "platform_word"
    assert site.anyone.get(f"/v1/statements/{digest}").json()["references"] == []


def test_an_idempotency_key_stands_for_one_request(site):
    headers = {"Idempotency-Key": "request-1"}
    first = site.post(work(content=b"idempotent"), ALICE, headers=headers).json()
    same = site.post(work(content=b"idempotent"), ALICE, headers=headers)
    assert (same.status_code, same.json()["digest"]) == (200, first["digest"])
    other = site.post(work(content=b"other body"), ALICE, headers=headers)
    assert (other.status_code, code(other)) == (409, "idempotency_key.other_content")


def test_a_public_statement_sent_again_takes_no_name_from_its_signers(site):
    public = work(content=b"public")
    assert site.post(public, ALICE).status_code == 201
    headers = {"Idempotency-Key": "tomorrow"}
    stranger = site.post(public, ALICE, headers=headers)
    afresh = site.post(work(content=b"public", salt=salt("afresh")), ALICE, headers=headers)
    assert [answer.json()["outcome"] for answer in (stranger, afresh)] == ["known", "repeat"]
    own = site.post(work(content=b"tomorrow's"), ALICE, headers=headers)
    assert (own.status_code, own.json().get("outcome")) == (201, "accepted")
    platforms = upload(content=b"known to a platform")
    assert site.post(platforms, PLATFORM_KEY, client=site.platform).status_code == 201
    site.post(platforms, PLATFORM_KEY, client=site.platform, headers=headers)
    other = site.post(upload(content=b"else"), PLATFORM_KEY, client=site.platform, headers=headers)
    assert (other.status_code, code(other)) == (409, "idempotency_key.other_content")


def test_a_batch_answers_each_item_for_itself_and_in_order(site):
    source = upload(content=b"batched")
    digest = source.digest(domain(site))
    made = rendition(digest, content=b"batched, smaller")
    items = [
        site.body(source, PLATFORM_KEY),
        site.body(made, PLATFORM_KEY),
        {**site.body(upload(content=b"x"), PLATFORM_KEY), "surplus": 1},
        site.body(upload(content=b"y"), BOB),
        site.body(source, PLATFORM_KEY),
        site.body(rendition(bytes(32), content=b"z"), PLATFORM_KEY),
    ]
    results = site.platform.post("/v1/statements:batch", json={"statements": items}).json()["results"]
    assert [item.get("outcome") or item["problem"]["code"] for item in results] == [
        "accepted",
        "accepted",
        "json.member_unknown",
        "signature.missing",
        "known",
        "rendition.unknown_source",
    ]
    found = site.anyone.get("/v1/statements", params={"work": to_hex(digest)}).json()["statements"]
    assert [item["kind"] for item in found] == ["Rendition"]


def test_five_hundred_in_a_batch_and_no_more(site):
    items = [site.body(upload(content=b"bulk %d" % number), PLATFORM_KEY) for number in range(500)]
    results = site.platform.post("/v1/statements:batch", json={"statements": items}).json()["results"]
    assert {item["outcome"] for item in results} == {"accepted"}
    too_many = site.platform.post("/v1/statements:batch", json={"statements": [*items, items[0]]})
    assert (too_many.status_code, code(too_many)) == (422, "list.length")


def test_lists_are_paged_and_filtered(site):
    accounts = {"account": to_hex(account_of_private_key(PLATFORM_KEY)), "kind": "Upload"}
    page = site.anyone.get("/v1/statements", params=accounts).json()
    assert len(page["statements"]) == 100
    following = site.anyone.get("/v1/statements", params={**accounts, "cursor": page["next"]}).json()
    seen = {item["digest"] for item in page["statements"]}
    assert seen.isdisjoint(item["digest"] for item in following["statements"])
    assert {item["kind"] for item in page["statements"]} == {"Upload"}


def test_api_keys_open_what_their_scopes_say(site):
    refused = site.post(upload(content=b"no key"), PLATFORM_KEY)
    assert (refused.status_code, code(refused)) == (403, "api_key.scope")
    assert code(site.anyone.post("/v1/statements:batch", json={"statements": []})) == "api_key.scope"
    wrong = site.anyone.get("/v1/statements/0x" + "00" * 32, headers={"Authorization": "Bearer deedlog_wrong"})
    assert (wrong.status_code, code(wrong)) == (401, "api_key.invalid")
    assert code(site.post(work(content=b"ref"), ALICE, reference="r")) == "reference.needs_api_key"


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/v1/statements/0x" + "00" * 32, 404, "statement.unknown"),
        ("/v1/statements/0x" + "00" * 32 + "/bundle", 404, "statement.unknown"),
        ("/v1/statements/123", 422, "hex.malformed"),
        ("/v1/statements?cursor=x", 422, "http.cursor"),
        ("/v1/statements?kind=Song", 422, "statement.unknown_kind"),
        ("/v1/statements?account=0x12", 422, "hex.length"),
        ("/nothing", 404, "http.not_found"),
        ("/log/tile/0/999", 404, "tile.path"),
        ("/log/tile/0/0", 404, "tile.path"),
    ],
)
def test_problems_have_stable_codes(site, path, status, expected):
    response = site.anyone.get(path)
    assert (response.status_code, code(response)) == (status, expected)


def test_problems_speak_the_askers_language(site):
    english = site.anyone.get("/nothing").json()
    chinese = site.anyone.get("/nothing", headers={"Accept-Language": "zh-CN,zh;q=0.9"}).json()
    assert english["code"] == chinese["code"]
    assert "不存在" in chinese["detail"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda body: body["typed_data"]["domain"].update(verifyingContract="0x" + "11" * 20), "typed_data.domain"),
        (lambda body: body["typed_data"]["message"].update(contentLength=7), "integer.not_a_decimal_string"),
        (lambda body: body["typed_data"]["message"].update(title="a\u202eb"), "text.bidirectional"),
        (lambda body: body["typed_data"]["message"].update(title="e\u0301"), "text.not_nfc"),
        (lambda body: body["typed_data"]["message"].update(title="\U0010fffe"), "text.unassigned"),
        (lambda body: body["typed_data"]["message"].update(madeAt="99999999999"), "statement.in_the_future"),
        (lambda body: body["typed_data"].update(types={}), "typed_data.types"),
        (lambda body: body["typed_data"].update(primaryType="Song"), "statement.unknown_kind"),
        (lambda body: body["signatures"][0].update(signature="0x" + "00" * 64 + "02"), "signature.v"),
        (lambda body: body["signatures"][0].update(signature="0x1b"), "signature.length"),
        (lambda body: body["signatures"].append(body["signatures"][0]), "signature.account_twice"),
        (lambda body: body.update(signatures=[]), "list.length"),
        (lambda body: body.update(surplus=1), "json.member_unknown"),
        (lambda body: body["typed_data"].pop("message"), "json.member_missing"),
    ],
)
def test_bad_statements_are_refused_by_code(site, change, expected):
    body = site.body(work(content=b"never accepted"), ALICE)
    change(body)
    response = site.anyone.post("/v1/statements", json=body)
    assert (response.status_code, code(response)) == (422, expected)
    content = work(content=b"never accepted").message()["contentHash"]
    assert site.anyone.get("/v1/statements", params={"content_hash": content}).json()["statements"] == []


def test_bad_json_is_refused(site):
    for data, expected in (
        (b"{", "json.malformed"),
        (b'{"a":1,"a":2}', "json.member_twice"),
        (b"\xff", "json.not_utf8"),
        (b"[" * 10_000, "json.too_deep"),
        (b'{"a":1.5}', "json.fraction"),
        (b" " * 300_000, "http.too_large"),
    ):
        response = site.anyone.post("/v1/statements", content=data)
        status = 413 if expected == "http.too_large" else 400
        assert (response.status_code, code(response)) == (status, expected)


def example_of(operation, name):
    parameter = next(item for item in operation["parameters"] if item["name"] == name)
    return parameter["examples"]["example"]["value"]


def test_the_openapi_pages_examples_work_when_pasted(site):
    document = site.anyone.get("/openapi.json").json()
    paths = document["paths"]
    sent = paths["/v1/statements"]["post"]["requestBody"]["content"]["application/json"]["example"]
    answer = site.anyone.post("/v1/statements", json=sent)
    assert answer.status_code in (200, 201), answer.text
    batch = paths["/v1/statements:batch"]["post"]["requestBody"]["content"]["application/json"]["example"]
    results = site.platform.post("/v1/statements:batch", json=batch).json()["results"]
    assert results[0]["digest"] == answer.json()["digest"]
    operation = paths["/v1/typed-data/{kind}"]["post"]
    kind = example_of(operation, "kind")
    fields = operation["requestBody"]["content"]["application/json"]["example"]
    asked = site.anyone.post(f"/v1/typed-data/{kind}", json=fields).json()
    assert asked["typed_data"]["message"]["title"] == examples.example_work().title
    proposed, signed = (paths[f"/v1/drafts{rest}"]["post"] for rest in ("", "/{digest}/signatures"))
    draft = site.anyone.post("/v1/drafts", json=proposed["requestBody"]["content"]["application/json"]["example"])
    assert draft.json()["outcome"] in ("proposed", "known"), draft.text
    digest = example_of(signed, "digest")
    assert digest == draft.json()["digest"]
    example = signed["requestBody"]["content"]["application/json"]["example"]
    for outcome in ("accepted", "known"):
        answer = site.anyone.post(f"/v1/drafts/{digest}/signatures", json=example)
        assert answer.json()["outcome"] in (outcome, "known"), answer.text
    page = site.anyone.get("/docs").text
    assert "swagger" in page.lower()
    assert "cdn" not in page.lower()


def test_the_plain_page_says_what_to_do_in_both_languages(site):
    english = site.anyone.get("/").text
    chinese = site.anyone.get("/", headers={"Accept-Language": "zh"}).text
    assert "deedlog register" in english
    assert "验证" in chinese
    for page in (english, chinese):
        assert to_hex(site.identity.address).lower() in page.lower()


def test_the_plain_page_shows_the_url_at_which_people_reach_the_registry(site):
    with beside(site, DEEDLOG_PUBLIC_URL="https://deeds.example.com/registry") as client:
        page = client.get("/").text
    assert "--url https://deeds.example.com/registry" in page
    assert "http://127.0.0.1" not in page


def domain(site):

    return domain_separator(site.identity.address)


def test_every_refusal_is_a_problem(site):
    for method, path, expected in (
        ("POST", "/v1/statements?wait=soon", "http.parameter"),
        ("PUT", "/v1/statements", "http.method_not_allowed"),
        ("GET", "/v1/nothing", "http.not_found"),
        ("GET", "/v1/statements?cursor=-1", "http.cursor"),
    ):
        assert code(site.anyone.request(method, path, json={})) == expected


def test_numbers_that_readers_disagree_on_are_strings(site):
    fields = {name: value for name, value in work().message().items() if name != "salt"} | {"contentLength": "0"}
    refused = site.anyone.post("/v1/typed-data/Work", json=fields)
    assert code(refused)
    assert refused.json()["params"]["maximum"] == str(2**64 - 1)
