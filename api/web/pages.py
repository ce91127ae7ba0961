"""The plain page at the registry's address."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from deedlog.anchor.log import store as log_store
from deedlog.api.http.context import Here  # noqa: TC001 - FastAPI reads the annotations
from deedlog.api.texts import text
from deedlog.registry.hexadecimal import to_checksum

router = APIRouter()

_PARTS = ("what", "register", "look_up", "check", "machines")


@router.get("/", response_class=HTMLResponse, tags=["pages"])
def get_page(here: Here) -> HTMLResponse:
    """What this is, how to register, look up and check."""
    with here.database.read() as connection:
        size = log_store.state(connection).size
    address = to_checksum(here.identity.address)
    params: dict[str, str | int] = {
        "registry": address,
        "origin": here.identity.origin,
        "size": size,
        "chain": here.settings.chain,
        "url": f"http://{here.settings.host}:{here.settings.port}",
    }
    sections = "".join(_section(here.language, part, params) for part in _PARTS)
    other = "zh" if here.language == "en" else "en"
    page = (
        f'<!doctype html><html lang="{here.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Deedlog</title><style>{_STYLE}</style></head><body><main>"
        f'<p class="language"><a href="/?lang={other}">{escape(text(here.language, "page.other_language"))}</a></p>'
        f"<h1>Deedlog</h1>{sections}</main></body></html>"
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})


def _section(language: str, part: str, params: dict[str, str | int]) -> str:
    paragraphs = []
    for line in text(language, f"page.{part}", params).split("\n"):
        if line.startswith("$ "):
            paragraphs.append(f"<pre>{escape(line[2:])}</pre>")
        elif line.startswith("→ "):
            target = escape(line[2:])
            paragraphs.append(f'<p><a href="{target}">{target}</a></p>')
        else:
            paragraphs.append(f"<p>{escape(line)}</p>")
    return f"<h2>{escape(text(language, f'page.{part}.title'))}</h2>{''.join(paragraphs)}"


_STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;margin:0;color:#1d1d1f;background:#fff}"
    "main{max-width:44rem;margin:0 auto;padding:1.5rem}"
    "h1{margin:.2em 0}h2{margin:1.6em 0 .3em;font-size:1.15rem}p{margin:.4em 0;overflow-wrap:anywhere}"
    "pre{background:#f3f3f5;padding:.6em .8em;overflow-x:auto;border-radius:4px}.language{text-align:right}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#161618}pre{background:#26262a}a{color:#8ab4ff}}"
)
