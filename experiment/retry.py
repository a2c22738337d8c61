"""Retries of whole operations with growing, jittered pauses, and only after errors that may go away."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from experiment.errors import Transient

T = TypeVar("T")
LONGEST_LOOK_PAUSE = 30.0


def growing_pauses(first: float, longest: float) -> Iterator[float]:
    """Yields the seconds between tries without end: ``first``, doubled each time up to ``longest``.

    Each pause is shortened at random by up to a half, so that many processes do not return at the same time.
    """
    pause = min(first, longest)
    while True:
        yield random.uniform(0.5, 1) * pause
        pause = min(2 * pause, longest)


def look_pauses(shortest: float) -> Iterator[float]:
    """Yields the seconds between looks at something that lasts: a 60th of the time so far, within ``shortest`` and 30 s.

    So the looks at a run of many hours cost little, and its end is still seen soon.
    """
    waited = 0.0
    while True:
        pause = max(shortest, min(waited / 60, LONGEST_LOOK_PAUSE))
        yield pause
        waited += pause


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
        first_pause: seconds before the second try, doubled each time up to ``longest_pause`` (``growing_pauses``).

    Raises:
        Transient: the last try failed too.
    """
    for pause in itertools.islice(growing_pauses(first_pause, longest_pause), attempts - 1):
        try:
            return operation()
        except Transient:
            sleep(pause)
    return operation()
