"""Outages of the store: what a cell needs is tried again for a while, so that an outage costs waiting instead of an attempt.

Credentials, rights, names and clocks count as outages too: somebody may be mending them, and no cell is to blame.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from experiment.errors import ExperimentError, Interrupted, Misconfigured, Transient, describe_error
from experiment.retry import growing_pauses

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds between two tries
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
        began: float | None = None
        pauses = growing_pauses(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            try:
                result = operation()
            except (Transient, Misconfigured) as error:
                self._check(error, self.clock() - began if began is not None else 0.0)
                if began is None:
                    began = self.clock()
                    self.say(f"{describe_error(error)}; trying again for up to {self.seconds:g} s")
                self._rest(next(pauses))
            else:
                if began is not None:
                    self.say(f"the store is back after {self.clock() - began:.0f} s")
                return result

    def _check(self, error: ExperimentError, waited: float) -> None:
        """Raises if the outage is not, or no longer, waited out."""
        if self.seconds <= 0:
            raise error
        if waited >= self.seconds:
            raise Transient(f"{describe_error(error)} (waited {self.seconds:g} s)") from error

    def _rest(self, seconds: float) -> None:
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0:
            if self.stopping():
                raise Interrupted("told to stop while the store was away; launch again to go on")
            self.sleep(min(left, LOOK_SECONDS))
