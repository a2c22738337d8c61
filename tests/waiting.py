"""Waiting for what a cluster does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
EVERY_SECONDS = 0.2


def until(look: Callable[[], T], what: str, *, seconds: float, state: Callable[[], str]) -> T:
    """What ``look`` returns, once it is true; ``state`` is told where it does not come to that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(EVERY_SECONDS)
    raise AssertionError(f"waited {seconds} s for {what}; {state()}")
