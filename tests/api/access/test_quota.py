"""Who has used up a quota is told when there is room again: by the window itself, not by a constant."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.worlds.registries.registry_world import ALICE, BOB, salt, work
from support.worlds.registries.site_world import beside

from deedlog.api.http.quota import Quota, QuotaExceeded
from deedlog.registry import times

DAY = 24 * 3600


def statement_of(*accounts):
    return SimpleNamespace(accounts=accounts)


@pytest.mark.parametrize(("limit", "seconds"), [("2/day", DAY), ("2/hour", 3600), ("2/5 minute", 300)])
def test_room_comes_back_when_the_oldest_request_leaves_the_window(limit, seconds):
    quota = Quota(limit, "1000/day")
    before = times.now()
    quota.take_accounts(statement_of(b"a" * 20))
    first = times.now()
    quota.take_accounts(statement_of(b"a" * 20))
    quota.take_accounts(statement_of(b"b" * 20))
    with pytest.raises(QuotaExceeded) as caught:
        quota.take_accounts(statement_of(b"a" * 20))
    now = times.now()
    window = caught.value.window
    assert (window.policy, window.amount, window.seconds) == ("account", 2, seconds)
    assert before + seconds - now <= window.reset <= first + seconds - before + 1
    assert caught.value.params["seconds"] == window.reset
    assert window.headers() == {
        "Retry-After": str(window.reset),
        "RateLimit": f'"account";r=0;t={window.reset}',
        "RateLimit-Policy": f'"account";q=2;w={seconds}',
    }


def test_both_quotas_say_over_http_when_to_come_back(site):
    limits = {"DEEDLOG_QUOTA_PER_ACCOUNT": "1/day", "DEEDLOG_QUOTA_PER_ADDRESS": "3/hour"}
    with beside(site, **limits) as client:
        begun = times.now()
        first = site.post(work(content=b"the first", salt=salt("the first")), ALICE, client=client)
        assert first.status_code == 201
        assert "retry-after" not in first.headers
        of_account = site.post(work(content=b"the second", salt=salt("the second")), ALICE, client=client)
        site.post(work(BOB, b"of another", salt=salt("of another")), BOB, client=client)
        of_address = site.post(work(BOB, b"one more", salt=salt("one more")), BOB, client=client)
        took = times.now() - begun + 1
        for answer, policy, amount, seconds in ((of_account, "account", 1, DAY), (of_address, "address", 3, 3600)):
            assert (answer.status_code, answer.json()["code"]) == (429, "quota.exceeded")
            wait = int(answer.headers["retry-after"])
            assert seconds - took <= wait <= seconds + 1
            assert answer.json()["params"]["seconds"] == wait
            assert answer.headers["ratelimit"] == f'"{policy}";r=0;t={wait}'
            assert answer.headers["ratelimit-policy"] == f'"{policy}";q={amount};w={seconds}'
