"""A node's URL as it may be shown: such URLs often carry a secret, in the path, the query or before the host."""

from __future__ import annotations

from urllib.parse import urlsplit

UNREADABLE = "…"


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
