"""The log of an attempt: each message is a line of JSON for the store and a readable line on standard error."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

from experiment.records import utc_now


class Log:
    """The log of one attempt, kept in memory until it is put into the store as one file."""

    def __init__(self, cell: str, attempt: str, *, echo: bool = True) -> None:
        self._fixed = {"cell": cell, "attempt": attempt}
        self._echo = echo
        self._lines: list[str] = []

    def say(self, message: str, **values: Any) -> None:
        """Adds a line with the time, the message and named values."""
        self._lines.append(json.dumps({"time": utc_now(), **self._fixed, "message": message, **values}))
        if self._echo:
            shown = " ".join(f"{k}={v}" for k, v in values.items() if "\n" not in str(v))
            with contextlib.suppress(BrokenPipeError):  # a launcher that died: its worker still saves its checkpoint
                print(f"{self._fixed['cell']}: {message} {shown}".rstrip(), file=sys.stderr, flush=True)

    def to_bytes(self) -> bytes:
        """Returns all lines so far."""
        return "".join(line + "\n" for line in self._lines).encode()
