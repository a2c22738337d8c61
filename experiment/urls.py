"""The addresses of servers in settings, checked before anything asks them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

SENDABLE = re.compile(r"[!-~]+")  # ASCII without blanks: what a request can hold


def names_server(url: str) -> bool:
    """Returns whether a URL is ``http(s)://HOST[:PORT]`` and what may follow, with a port and an address that exist."""
    try:
        parts = urlsplit(url)
        return bool(
            parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and SENDABLE.fullmatch(url)
        )
    except ValueError:  # brackets that hold no address of version 6, or a port that is no number up to 65535
        return False
