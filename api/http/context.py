"""What every route has at hand: the registry, who is asking, in which language, and the request's bytes."""

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
"""Headers that may stand in a request once: of two values one would be taken at random."""


@dataclass(slots=True)  # not frozen: making a frozen one takes four times as long
class Context:
    """One request's surroundings; what its headers say is read when it is asked for."""

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
        """The language that the asker reads."""
        return language(self.request)

    @property
    def network_address(self) -> str:
        """Where the request comes from."""
        return self.request.client.host if self.request.client else "unknown"

    @property
    def authorization(self) -> str | None:
        """The header that holds an API key or a session's token."""
        return self.request.headers.get("authorization")

    def account(self) -> bytes | None:
        """Return the account that has signed in; None without a session's token.

        Raises `InvalidData` (`sign_in.session`). It looks into the database: not on the event loop.
        """
        return self.sessions.account(self.authorization, self.now())

    def signed_in(self) -> bytes:
        """Return the account that has signed in; raise `InvalidData` (`sign_in.…`). Not on the event loop."""
        account = self.account()
        if account is None:
            raise InvalidData("sign_in.missing")
        return account

    def known_submitter(self) -> Submitter | None:
        """Return who sends, None if that is to be looked up (`submitter`); raise `InvalidData` (`api_key.…`)."""
        return None if token_of(self.authorization) is not None else self.keys.known(self.authorization)

    def submitter(self) -> Submitter:
        """Return who sends; whoever has signed in does so without an API key.

        Raises `InvalidData` (`api_key.…`, `sign_in.session`). It may look into the database: not on the event loop.
        """
        return Submitter() if self.account() is not None else self.keys.submitter(self.authorization)

    async def let_in(self) -> Submitter:
        """Return who wants to write; raise if too many do, or `InvalidData` (`api_key.…`, `sign_in.session`)."""
        self.acceptance.check_room()
        known = self.known_submitter()
        return known if known is not None else await run_in_threadpool(self.submitter)

    def count_request(self, submitter: Submitter) -> None:
        """Count a request to write that comes without an API key; raise if it needs one, or too many came."""
        if submitter.api_key_id is None:
            if self.settings.writers == "keys":
                raise InvalidData("api_key.missing")
            self.quota.take_address(self.network_address)

    def reader(self) -> Reader:
        """Return who asks to read; raise `InvalidData` (`api_key.…`, `sign_in.session`). Not on the event loop."""
        account = self.account()
        if account is not None:
            return Reader(account=account)
        return Reader(api_key_id=self.keys.submitter(self.authorization).api_key_id)

    @staticmethod
    def now() -> int:
        """Return the registry's clock, in Unix seconds."""
        return times.now()


def surroundings(request: Request) -> Context:
    """Return the request's surroundings."""
    made: Context = request.app.state.context(request)
    return made


async def context(request: Request) -> Context:
    """Return the request's surroundings. `async`, though nothing waits: for other functions FastAPI takes a thread."""
    return surroundings(request)


def language(request: Request) -> str:
    """Return the language that the asker reads."""
    return choose_language(request.query_params.get("lang") or request.headers.get("accept-language"))


async def nothing_unread(request: Request) -> None:
    """Check (`check_read`) a request to one of FastAPI's routes by the parameters that it declares."""
    route: APIRoute = request.scope["route"]
    check_read(request, [parameter.alias for parameter in route.dependant.query_params])


def check_read(request: Request, parameters: Sequence[str]) -> None:
    """Raise `InvalidData` (`http.…`) for what would be passed over: an unknown parameter, or what stands there twice.

    A misspelt condition would otherwise list everything, and of two values one would be taken at random.
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
    """Return the request's bytes; read no more than `maximum`, then raise `InvalidData` (`http.too_large`)."""
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
