"""Per-request context: the registry, the caller's identity, the language, and bounded body reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from deedlog.api.http.schemas.requests import MAXIMUM_SIGNATURES_BODY, MAXIMUM_STATEMENT
from deedlog.api.http.sessions import token_of
from deedlog.api.texts import choose_language
from deedlog.registry import times
from deedlog.registry.acceptance.access import Reader
from deedlog.registry.acceptance.submission import Submitter
from deedlog.registry.errors import InvalidData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi.routing import APIRoute

    from deedlog.anchor.evm.deployment import Deployment
    from deedlog.anchor.evm.identity import RegistryIdentity
    from deedlog.api.http.api_keys import Keys
    from deedlog.api.http.batch_checker import Checkers
    from deedlog.api.http.metrics import Metrics
    from deedlog.api.http.quota import Quota
    from deedlog.api.http.sessions import Sessions
    from deedlog.api.settings import Settings
    from deedlog.registry.acceptance.write_queue import WriteQueue
    from deedlog.registry.store.database import Database


_ONCE = (b"authorization", b"idempotency-key")
"""Headers that may occur only once in a request. With two values, a server would pick one of them arbitrarily."""


@dataclass(slots=True)  # not frozen: constructing a frozen one takes four times as long
class Context:
    """The context of one request. Headers are parsed when a property or method needs them."""

    request: Request
    database: Database
    identity: RegistryIdentity
    deployment: Deployment | None
    settings: Settings
    quota: Quota
    metrics: Metrics
    keys: Keys
    sessions: Sessions
    acceptance: WriteQueue
    checkers: Checkers

    @property
    def language(self) -> str:
        """The language of the answer: the parameter `lang`, or else the header `Accept-Language`."""
        return language(self.request)

    @property
    def network_address(self) -> str:
        """The client's network address, or `unknown`."""
        return self.request.client.host if self.request.client else "unknown"

    @property
    def authorization(self) -> str | None:
        """The `Authorization` header, which holds an API key or a session's token."""
        return self.request.headers.get("authorization")

    def account(self) -> bytes | None:
        """Return the account that signed in; None if the request has no session's token.

        Raises `InvalidData` (`sign_in.session`). Reads the database, so do not call it on the event loop.
        """
        return self.sessions.account(self.authorization, self.now())

    def signed_in(self) -> bytes:
        """Return the account that signed in. Do not call it on the event loop.

        Raises `InvalidData` (`sign_in.missing`, `sign_in.session`).
        """
        account = self.account()
        if account is None:
            raise InvalidData("sign_in.missing")
        return account

    def known_submitter(self) -> Submitter | None:
        """Return the submitter if no database read is needed to know it; None if `submitter` must be called.

        Raises `InvalidData` (`api_key.…`).
        """
        return None if token_of(self.authorization) is not None else self.keys.known(self.authorization)

    def submitter(self) -> Submitter:
        """Return the submitter. A person with a session submits without an API key.

        Raises `InvalidData` (`api_key.…`, `sign_in.session`). May read the database, so do not call it on the event
        loop.
        """
        return Submitter() if self.account() is not None else self.keys.submitter(self.authorization)

    async def let_in(self) -> Submitter:
        """Return the submitter of a request to write, if the write queue has room.

        Raises `Unavailable` (`statement.too_many_waiting`, `statement.stopping`) or `InvalidData` (`api_key.…`,
        `sign_in.session`).
        """
        self.acceptance.check_room()
        known = self.known_submitter()
        return known if known is not None else await run_in_threadpool(self.submitter)

    def count_request(self, submitter: Submitter) -> None:
        """Count a request to write that has no API key against the quota of its network address.

        Raises `InvalidData` (`api_key.missing`) if writing needs a key here, or `Unavailable` (`quota.exceeded`).
        """
        if submitter.api_key_id is None:
            if self.settings.writers == "keys":
                raise InvalidData("api_key.missing")
            self.quota.take_address(self.network_address)

    def reader(self) -> Reader:
        """Return the reader: the account that signed in, or else the API key. Do not call it on the event loop.

        Raises `InvalidData` (`api_key.…`, `sign_in.session`).
        """
        account = self.account()
        if account is not None:
            return Reader(account=account)
        return Reader(api_key_id=self.keys.submitter(self.authorization).api_key_id)

    @staticmethod
    def now() -> int:
        """Return the registry's clock, in Unix seconds."""
        return times.now()


def surroundings(request: Request) -> Context:
    """Return the context of a request."""
    made: Context = request.app.state.context(request)
    return made


async def context(request: Request) -> Context:
    """Return the context of a request, as a FastAPI dependency.

    It awaits nothing, but is `async` because FastAPI runs every other function in a thread.
    """
    return surroundings(request)


def language(request: Request) -> str:
    """Return the language of the answer: from the parameter `lang`, or else from the header `Accept-Language`."""
    return choose_language(request.query_params.get("lang") or request.headers.get("accept-language"))


async def nothing_unread(request: Request) -> None:
    """Run `check_read` on a request to a FastAPI route, with the query parameters that the route declares."""
    route: APIRoute = request.scope["route"]
    check_read(request, [parameter.alias for parameter in route.dependant.query_params])


def check_read(request: Request, parameters: Sequence[str]) -> None:
    """Refuse what a route would silently ignore: unknown query parameters, and repeated parameters or headers.

    Otherwise a misspelt filter would list everything, and one of two values would be picked arbitrarily. Raises
    `InvalidData` (`http.header_twice`, `http.parameter_unknown`, `http.parameter_twice`).
    """
    single = [header for header, _ in request.scope["headers"] if header in _ONCE]
    for header in single[1:]:
        if single.count(header) > 1:
            raise InvalidData("http.header_twice", field=header.decode())
    if not request.scope["query_string"]:
        return
    known = sorted({*parameters, "lang"})
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            raise InvalidData("http.parameter_unknown", field=name[:64], parameters=", ".join(known))
        if name in seen:
            raise InvalidData("http.parameter_twice", field=name)
        seen.add(name)


async def body(request: Request, maximum: int) -> bytes:
    """Return the request's body. Stops reading beyond `maximum` bytes and raises `InvalidData` (`http.too_large`).

    Raises `InvalidData` (`http.request`) if the client disconnects first.
    """
    chunks = []
    length = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise InvalidData("http.request", path=request.url.path[:200])  # nobody reads this answer
        chunk = message.get("body", b"")
        length += len(chunk)
        if length > maximum:
            raise InvalidData("http.too_large", maximum=maximum)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


async def _statement_body(request: Request) -> bytes:
    return await body(request, MAXIMUM_STATEMENT)


async def _signatures_body(request: Request) -> bytes:
    return await body(request, MAXIMUM_SIGNATURES_BODY)


Here = Annotated[Context, Depends(context)]
Body = Annotated[bytes, Depends(_statement_body)]
SignaturesBody = Annotated[bytes, Depends(_signatures_body)]
