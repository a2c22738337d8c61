"""Retries of whole operations with growing, jittered pauses, and only after errors that may go away."""

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
    """Returns the operation's result; repeats the operation while it raises ``Transient``.

    Args:
        attempts: largest number of tries.
        first_pause: seconds before the second try, doubled each time up to ``longest_pause``. Each pause is shortened
            at random by up to a half, so that many processes do not return at the same time.

    Raises:
        Transient: the last try failed too.
    """
    for attempt in range(attempts - 1):
        try:
            return operation()
        except Transient:
            sleep(random.uniform(0.5, 1) * min(first_pause * 2**attempt, longest_pause))
    return operation()
