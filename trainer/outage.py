"""Outages of the store: what a cell needs is tried again for a while, so that an outage costs waiting instead of an attempt.

Credentials, rights, names and clocks count as outages too: somebody may be mending them, and no cell is to blame.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from experiment.errors import ExperimentError, Interrupted, Misconfigured, Transient, describe_error

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds between two tries; doubled each time
LOOK_SECONDS = 0.2  # after which a pause looks whether the process was told to stop


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long an outage is waited out.

    Attributes:
        seconds: the longest outage; 0: errors are raised as they come, for a person who is present.
        stopping: returns whether the process was told to stop.
        say: called with one line when an outage begins, and when it has ended.
    """

    seconds: float
    stopping: Callable[[], bool]
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def wait_out(self, operation: Callable[[], T]) -> T:
        """Returns the operation's result; repeats the operation while the store is away or refuses.

        Raises:
            Transient: the outage was longer than ``seconds``.
            Interrupted: the process was told to stop meanwhile.
        """
        pause, began = FIRST_PAUSE, self.clock()
        while True:
            try:
                result = operation()
            except (Transient, Misconfigured) as error:
                began = self.clock() if pause == FIRST_PAUSE else began
                self._bear(error, began, first=pause == FIRST_PAUSE)
                self._rest(random.uniform(0.5, 1) * pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                if pause > FIRST_PAUSE:
                    self.say(f"the store is back after {self.clock() - began:.0f} s")
                return result

    def _bear(self, error: ExperimentError, began: float, *, first: bool) -> None:
        if self.seconds <= 0:
            raise error
        if self.clock() - began >= self.seconds:
            raise Transient(f"{describe_error(error)} (waited {self.seconds:g} s)") from error
        if first:
            self.say(f"{describe_error(error)}; trying again for up to {self.seconds:g} s")

    def _rest(self, seconds: float) -> None:
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0:
            if self.stopping():
                raise Interrupted("told to stop while the store was away; launch again to go on")
            self.sleep(min(left, LOOK_SECONDS))
