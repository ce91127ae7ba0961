"""Every answer of every route says how it may be cached; only what is the same for everybody may be shared."""

from __future__ import annotations

import pytest
from support.worlds.registries.registry_world import ALICE, salt, work

PUBLIC = {
    "/": "public, max-age=60",
    "/docs": "public, max-age=60",
    "/openapi.json": "public, max-age=60",
    "/static-offline-docs/swagger-ui.css": "public, max-age=60",
    "/log/checkpoint": "no-cache",
    "/log/tile/{path}": "public, max-age=31536000, immutable",
}
PRIVATE = "private, no-store"
FOREIGN = "0x" + "ab" * 32


def varies(answer):
    return {name.strip().lower() for name in answer.headers["vary"].split(",")}


@pytest.fixture(scope="module")
def askers(site):
    """What to send as nobody, as a person who signed in, as a platform, and with a token that is wrong."""
    return [{}, site.sign_in(ALICE), dict(site.platform.headers.items()), {"Authorization": "Bearer deedsession_no"}]


@pytest.fixture(scope="module")
def routes(site):
    """Every method and path of the registry; those of the libraries and those that are none too."""
    documented = site.anyone.get("/openapi.json").json()["paths"]
    found = [(method.upper(), path) for path, item in documented.items() for method in item if method != "parameters"]
    assert ("GET", "/v1/agreements/{digest}/payouts") in found
    assert ("POST", "/v1/statements") in found
    assert {path for path in PUBLIC if path.startswith("/log")} <= {path for _, path in found}
    others = [("GET", path) for path in PUBLIC] + [("GET", "/no/such/page"), ("GET", "/static-offline-docs/none")]
    wrong = [("PATCH", path) for _, path in found] + [("OPTIONS", path) for _, path in found]
    return sorted({*found, *others, *wrong, *(("HEAD", path) for method, path in found if method == "GET")})


def test_every_answer_of_every_route_says_how_it_may_be_cached(site, askers, routes):
    made = site.post(work(content=b"cached by nobody", salt=salt("cached by nobody")), ALICE, wait=True)
    digest = made.json()["digest"]
    seen = set()
    for given in (digest, FOREIGN):
        for method, route in routes:
            path = route.replace("{digest}", given).replace("{path}", "entries/000" if given == FOREIGN else "0/999")
            path = path.replace("{kind}", "Work").replace("{content_hash}", FOREIGN)
            for headers in askers:
                answer = site.anyone.request(method, path, headers=headers)
                said = answer.headers.get("cache-control")
                place = (method, path, answer.status_code, said)
                shared = PUBLIC.get(route) if answer.status_code == 200 and method in ("GET", "HEAD") else None
                assert said == (shared or PRIVATE), place
                assert ("authorization" in varies(answer)) == (shared is None), place
                seen.add((route, answer.status_code, said))
    assert ("/v1/statements/{digest}/bundle", 200, PRIVATE) in seen
    assert ("/v1/statements/{digest}", 200, PRIVATE) in seen


def test_a_tile_is_public_and_immutable_and_one_that_is_not_there_yet_is_not(site):
    site.post(work(content=b"a tile", salt=salt("a tile")), ALICE, wait=True)
    size = site.anyone.get("/readyz").json()["log_size"]
    there = site.anyone.get(f"/log/tile/entries/000.p/{min(size, 255)}")
    assert (there.status_code, there.headers["cache-control"]) == (200, PUBLIC["/log/tile/{path}"])
    beyond = site.anyone.get("/log/tile/entries/999")
    assert (beyond.status_code, beyond.headers["cache-control"]) == (404, PRIVATE)
