"""One way to try again: whole operations, with growing pauses and jitter, and only what may work another time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from experiment.errors import Transient

T = TypeVar("T")


def retry_transient(
    operation: Callable[[], T],
    *,
    attempts: int,
    first_pause: float = 0.4,
    longest_pause: float = 10.0,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Returns what the operation returns, trying it again while it raises ``Transient``.

    Args:
        attempts: tries in all.
        first_pause: seconds before the second try; doubled each time up to ``longest_pause``. Each pause is shortened by
            up to a half at random, so that many processes do not come back at once.

    Raises:
        Transient: the last try failed too.
    """
    for attempt in range(attempts - 1):
        try:
            return operation()
        except Transient:
            sleep(random.uniform(0.5, 1) * min(first_pause * 2**attempt, longest_pause))
    return operation()
