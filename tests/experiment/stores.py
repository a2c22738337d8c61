"""A store that can be away, and that counts what it is asked."""

from __future__ import annotations

from collections import Counter
from typing import Any

from experiment.errors import Transient


class Flaky:
    """Stands before another store. While it is ``away``, every request fails; ``asked`` counts the requests."""

    def __init__(self, store) -> None:
        self._store, self.away, self.asked = store, False, Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name not in ("read", "put", "put_once", "exists", "list", "delete"):
            return found

        def ask(*arguments):
            self.asked[name] += 1
            if self.away:
                raise Transient(f"{self._store.url} is away; launch again later")
            return found(*arguments)

        return ask
