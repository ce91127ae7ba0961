"""Removes secrets from a node's URL before it is shown: in the path, in the query or before the host."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

UNREADABLE = "…"

SHORTEST_SECRET = 8
"""In characters. Shorter parts of a URL are words, not keys."""


def shown(url: str) -> str:
    """Return only the URL's scheme, host and port; `UNREADABLE` if `url` is no URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return UNREADABLE
    # URL parsers disagree about where a host with other characters ends.
    if not parts.scheme or not host or not all(character.isalnum() or character in ".-_:" for character in host):
        return UNREADABLE
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" if port is None else f"{parts.scheme}://{host}:{port}"


def without_secrets(url: str, text: str) -> str:
    """Return a node's message without the parts of its URL that may be secret: providers repeat keys in errors."""
    rest = url.partition("://")[2]
    host = shown(url).partition("://")[2]
    for part in sorted(re.split(r"[/?&=@#:]", rest), key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET and part not in host:
            text = text.replace(part, UNREADABLE)
    return text
