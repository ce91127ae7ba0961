"""What every route has at hand: the registry, who is asking, in which language, and the request's bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from starlette.requests import ClientDisconnect

from api import keys
from api.shapes import MAXIMUM_BATCH_BODY
from api.texts import choose_language
from registry.errors import InvalidData

if TYPE_CHECKING:
    from anchor.deployment import Deployment
    from anchor.identity import RegistryIdentity
    from api.metrics import Metrics
    from api.quota import Quota
    from api.settings import Settings
    from registry.database import Database
    from registry.service import Submitter


@dataclass(frozen=True, slots=True)
class Context:
    """One request's surroundings."""

    database: Database
    identity: RegistryIdentity
    deployment: Deployment | None
    settings: Settings
    quota: Quota
    metrics: Metrics
    language: str
    network_address: str
    authorization: str | None

    def submitter(self) -> Submitter:
        """Return who sends; raise `InvalidData` (`api_key.…`)."""
        return keys.submitter(self.database, self.authorization)

    @staticmethod
    def now() -> int:
        """Return the registry's clock, in Unix seconds."""
        return int(time.time())


def context(request: Request) -> Context:
    """Return the request's surroundings."""
    state = request.app.state
    return Context(
        database=state.database,
        identity=state.identity,
        deployment=state.deployment,
        settings=state.settings,
        quota=state.quota,
        metrics=state.metrics,
        language=choose_language(request.query_params.get("lang") or request.headers.get("accept-language")),
        network_address=request.client.host if request.client else "unknown",
        authorization=request.headers.get("authorization"),
    )


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
