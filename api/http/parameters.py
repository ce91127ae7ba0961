"""The parameters that several routes share, as the OpenAPI document describes them.

FastAPI validates none of them: the routes do, and refuse with a stable code.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import WithJsonSchema

from deedlog.api.http.schemas.kinds import NAMED
from deedlog.api.http.schemas.models import HASH

_CURSOR = {"type": "string", "pattern": "^[0-9]{1,18}$"}

Digest = Annotated[str, WithJsonSchema(HASH), Path(description="the statement's name: what its signers signed")]
KindInPath = Annotated[
    str,
    WithJsonSchema({NAMED: "Kind"}),
    Path(description="a kind of statement", openapi_examples={"example": {"value": "Work"}}),
]
Kind = Annotated[str | None, WithJsonSchema({NAMED: "Kind"}), Query(description="a kind of statement")]
Work = Annotated[str | None, WithJsonSchema(HASH), Query(description="digest of a statement: what names it")]
Cursor = Annotated[str | None, WithJsonSchema(_CURSOR), Query(description="`next` of the page before")]
