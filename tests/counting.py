"""Counts the requests that reach an S3 server, by operation: a proxy before it, so that every process counts."""

from __future__ import annotations

import threading
from collections import Counter
from urllib.parse import parse_qs, urlsplit

from tests import faults


class CountingProxy(faults.Proxy):
    """Forwards to ``target`` and counts: ``counts`` by operation, ``places`` by operation and first folder of the store."""

    def __init__(self, target: str, prefix: str = "") -> None:
        super().__init__(target)
        self.RequestHandlerClass = _Counted
        self.counts: Counter[str] = Counter()
        self.places: Counter[str] = Counter()
        self.prefix = prefix
        self._counting = threading.Lock()

    def count(self, method: str, path: str) -> None:
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        listing = method == "GET" and "list-type" in query
        operation = "LIST" if listing else method
        key = query.get("prefix", [""])[0] if listing else parts.path.lstrip("/").partition("/")[2]
        folder = key.removeprefix(self.prefix).lstrip("/").partition("/")[0]
        with self._counting:
            self.counts[operation] += 1
            self.places[f"{operation} {folder}"] += 1

    def take(self) -> Counter[str]:
        """The counts since they were last taken."""
        with self._counting:
            taken, self.counts, self.places = self.counts, Counter(), Counter()
        return taken


class _Counted(faults._Handler):
    def parse_request(self) -> bool:
        good = super().parse_request()
        if good:
            self.server.count(self.command, self.path)
        return good
