"""The URLs of runs, and the addresses of servers in settings, checked before anything asks them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from experiment.errors import refuse
from experiment.keys import RUNS

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


def run_url(store_url: str, run: str) -> str:
    """Returns the URL under which every program finds a run: ``STORE/runs/RUN``."""
    return f"{store_url}/{RUNS}{run}"


def split_run_url(url: str) -> tuple[str, str]:
    """Returns the store's URL and the run's name that ``run_url`` joined.

    Raises:
        InvalidInput: the URL has another form.
    """
    store, middle, run = url.rstrip("/").rpartition("/" + RUNS)
    if not middle or not store or not run or "/" in run:
        allowed = "STORE/runs/RUN with STORE a path, file:// or s3:// URL"
        raise refuse("the run", url, allowed, "copy it from the launcher's first lines")
    return store, run
