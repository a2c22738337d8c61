"""An attempt's log: a JSON object per line for the store, a readable line on standard error at the same time."""

from __future__ import annotations

import json
import sys
from typing import Any

from experiment.records import utc_now


class Log:
    """The lines of one attempt, kept until they are put into the store whole."""

    def __init__(self, cell: str, attempt: str, *, echo: bool = True) -> None:
        self._fixed = {"cell": cell, "attempt": attempt}
        self._echo = echo
        self._lines: list[str] = []

    def say(self, message: str, **values: Any) -> None:
        """Adds a line with the time, the message and values."""
        self._lines.append(json.dumps({"time": utc_now(), **self._fixed, "message": message, **values}))
        if self._echo:
            shown = " ".join(f"{k}={v}" for k, v in values.items() if "\n" not in str(v))
            print(f"{self._fixed['cell']}: {message} {shown}".rstrip(), file=sys.stderr, flush=True)

    def to_bytes(self) -> bytes:
        """All lines so far."""
        return "".join(line + "\n" for line in self._lines).encode()
