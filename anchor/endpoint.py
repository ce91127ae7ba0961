"""How the address of a node is shown: without what it may carry of secrets. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit


def shown(url: str) -> str:
    """Return scheme, host and port of a node's URL: providers put API keys into its path, its query or its user."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "?"
    if not parts.scheme or not host:
        return "?"
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}" if port is None else f"{parts.scheme}://{host}:{port}"
