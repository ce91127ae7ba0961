"""API keys: what is revoked opens nothing, in a process that knew the key and in one that did not."""

from __future__ import annotations

import json

import httpx
import pytest
from support.worlds.registries.registry_world import PLATFORM_KEY, salt, upload
from support.worlds.session.waiting import until

from deedlog.api.http import api_keys
from deedlog.registry.errors import InvalidData

NOW = 1_795_460_000


@pytest.fixture
def made(database):
    """The id of a key, and what is sent with it."""
    key, secret = api_keys.create(database, "a platform", ("upload",), NOW)
    return key, f"Bearer {secret}"


def test_a_revoked_key_is_refused_by_a_process_that_never_saw_it(database, made):
    key, sent = made
    assert api_keys.Keys(database).submitter(sent).api_key_id == key
    api_keys.revoke(database, key, NOW + 1)
    with pytest.raises(InvalidData) as raised:
        api_keys.Keys(database).submitter(sent)
    assert raised.value.code == "api_key.invalid"


def test_revoking_one_key_leaves_the_others_and_is_done_once(database, made):
    key, _ = made
    other, secret = api_keys.create(database, "another platform", (), NOW)
    api_keys.revoke(database, key, NOW + 1)
    assert api_keys.Keys(database).submitter(f"Bearer {secret}").api_key_id == other
    with pytest.raises(InvalidData) as raised:
        api_keys.revoke(database, key, NOW + 2)
    assert raised.value.code == "api_key.unknown"


def test_a_key_in_use_is_looked_up_again_and_refused_once_revoked(database, made):
    """A process that believes a key goes on for a moment; that it is used all the while prolongs nothing."""
    key, sent = made
    known = api_keys.Keys(database)
    assert known.submitter(sent).api_key_id == key
    api_keys.revoke(database, key, NOW + 1)

    def refused():
        try:
            return known.submitter(sent) is None
        except InvalidData as error:
            return error.code == "api_key.invalid"

    assert until(refused)
    assert known.known(sent) is None  # nor is it remembered


def test_a_key_revoked_while_the_server_runs_writes_nothing_more(site):
    made = json.loads(site.local.deedlog("api-key", "new", "for a while", "--scope", "upload", "--json"))
    headers = {"Authorization": f"Bearer {made['secret']}"}
    with httpx.Client(base_url=site.local.url, headers=headers) as platform:
        numbers = iter(range(10_000))

        def send():
            number = next(numbers)
            statement = upload(content=b"of a key %d" % number, salt=salt(f"of a key {number}"))
            return site.post(statement, PLATFORM_KEY, client=platform)

        assert send().status_code == 201
        site.local.deedlog("api-key", "revoke", str(made["id"]), "--json")
        answer = until(lambda: (answer := send()).status_code != 201 and answer)
        assert (answer.status_code, answer.json()["code"]) == (401, "api_key.invalid")
        assert send().status_code == 401
