"""A node's URL as it may be shown: such URLs often carry a secret, in the path, the query or before the host."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

UNREADABLE = "…"

SHORTEST_SECRET = 8
"""Characters: shorter parts of a URL are words, not keys."""


def shown(url: str) -> str:
    """Return the URL's scheme, host and port, and nothing else; `UNREADABLE` for what is no URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return UNREADABLE
    # Readers of URLs disagree on where a host with other characters ends.
    if not parts.scheme or not host or not all(character.isalnum() or character in ".-_:" for character in host):
        return UNREADABLE
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" if port is None else f"{parts.scheme}://{host}:{port}"


def without_secrets(url: str, text: str) -> str:
    """Return what a node said without the parts of its own URL that may be secret: providers repeat keys in errors."""
    rest = url.partition("://")[2]
    host = shown(url).partition("://")[2]
    for part in sorted(re.split(r"[/?&=@#:]", rest), key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET and part not in host:
            text = text.replace(part, UNREADABLE)
    return text
