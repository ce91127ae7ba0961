"""The page at the registry's URL."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from deedlog.anchor.log import store as log_store
from deedlog.api.http.caching import PAGE
from deedlog.api.http.context import Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.texts import text
from deedlog.api.web.rendering import render
from deedlog.registry.hexadecimal import to_checksum

router = APIRouter()

_PARTS = ("what", "register", "look_up", "check", "machines")


@router.get("/", summary="Show what this is", response_class=HTMLResponse, tags=["pages"])
def get_page(here: Here) -> HTMLResponse:
    """What the registry is, and how to register, look up and check a work."""
    with here.database.read() as connection:
        size = log_store.state(connection).size
    params: dict[str, str | int] = {
        "registry": to_checksum(here.identity.address),
        "origin": here.identity.origin,
        "size": size,
        "chain": here.settings.chain,
        "url": here.settings.site.uri,
    }
    language = here.language
    page = render(
        "landing.html",
        language,
        other_language="zh" if language == "en" else "en",
        sections=[
            {
                "title": text(language, f"page.{part}.title"),
                "lines": text(language, f"page.{part}", params).split("\n"),
            }
            for part in _PARTS
        ],
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": PAGE})
