"""What every route has at hand: the registry, who is asking, in which language, and the request's bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from starlette.requests import ClientDisconnect

from api.shapes import MAXIMUM_BATCH_BODY
from api.texts import choose_language
from registry.errors import InvalidData

if TYPE_CHECKING:
    from anchor.deployment import Deployment
    from anchor.identity import RegistryIdentity
    from api.keys import Keys
    from api.quota import Quota
    from api.settings import Settings
    from registry.acceptance import Acceptance
    from registry.database import Database
    from registry.submission import Submitter


@dataclass(frozen=True, slots=True)
class Context:
    """One request's surroundings; what depends on its headers is worked out when it is asked for."""

    request: Request
    database: Database
    identity: RegistryIdentity
    deployment: Deployment | None
    settings: Settings
    quota: Quota
    keys: Keys
    acceptance: Acceptance

    @property
    def language(self) -> str:
        """The language of the answer."""
        return choose_language(self.request.query_params.get("lang") or self.request.headers.get("accept-language"))

    @property
    def network_address(self) -> str:
        """Where the request comes from."""
        return self.request.client.host if self.request.client else "unknown"

    @property
    def authorization(self) -> str | None:
        """The header that holds an API key."""
        return self.request.headers.get("authorization")

    def submitter(self) -> Submitter:
        """Return who sends; raise `InvalidData` (`api_key.…`). It may look into the database: not on the event loop."""
        return self.keys.submitter(self.authorization)

    @staticmethod
    def now() -> int:
        """Return the registry's clock, in Unix seconds."""
        return int(time.time())


def surroundings(request: Request) -> Context:
    """Return the request's surroundings."""
    state = request.app.state
    return Context(
        request=request,
        database=state.database,
        identity=state.identity,
        deployment=state.deployment,
        settings=state.settings,
        quota=state.quota,
        keys=state.keys,
        acceptance=state.acceptance,
    )


async def context(request: Request) -> Context:
    """Return the request's surroundings. `async`, though nothing waits: for other functions FastAPI takes a thread."""
    return surroundings(request)


async def body(request: Request) -> bytes:
    """Return the request's bytes, reading no more than any request may have."""
    chunks = []
    length = 0
    try:
        async for chunk in request.stream():
            length += len(chunk)
            if length > MAXIMUM_BATCH_BODY:
                raise InvalidData("http.too_large", maximum=MAXIMUM_BATCH_BODY)
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise InvalidData("http.request", path=request.url.path[:200]) from error  # nobody reads this answer
    return b"".join(chunks)


Here = Annotated[Context, Depends(context)]
Body = Annotated[bytes, Depends(body)]
