"""Outages of a server: what is needed is tried again for a while, so that an outage costs waiting instead of the work.

Credentials, rights, names and clocks count as outages too: somebody may be mending them, and nothing in hand is to blame.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from experiment.errors import ExperimentError, Interrupted, Misconfigured, Transient, describe_error, refuse
from experiment.retry import growing_pauses

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds between two tries
LOOK_SECONDS = 0.2  # after which a pause looks whether the process was told to stop
OUTAGE_SECONDS = 1800.0  # the longest outage, unless a setting says otherwise


class Outlasted(Transient):
    """An outage that was waited out in vain. Who waits for more than one server does not wait for it again."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long an outage is waited out.

    Attributes:
        seconds: the longest outage; 0: errors are raised as they come, for a person who is present.
        say: called with one line when an outage begins, and when it has ended.
        what: who is away, in the line on its end.
        stopping: returns whether the process was told to stop.
        waits_for: the errors that begin an outage. While it lasts, every refusal of the surroundings belongs to it: a
            server that comes back does not know its users and their rights at once.
        quiet_seconds: an outage that is shorter is not worth a line.
    """

    seconds: float
    say: Callable[[str], None]
    what: str = "the store"
    stopping: Callable[[], bool] = lambda: False
    waits_for: tuple[type[ExperimentError], ...] = (Transient, Misconfigured)
    quiet_seconds: float = 0.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def wait_out(self, operation: Callable[[], T]) -> T:
        """Returns the operation's result; repeats the operation while the server is away or refuses.

        Raises:
            Outlasted: the outage was longer than ``seconds``.
            Interrupted: the process was told to stop meanwhile.
        """
        began, said = math.nan, False  # of the outage, if there is one
        pauses = growing_pauses(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            try:
                result = operation()
            except (Transient, Misconfigured) as error:
                if self.stopping():
                    raise Interrupted(f"told to stop while {self.what} was away; launch again to go on") from error
                outage = not math.isnan(began)
                waited = self.clock() - began if outage else 0.0
                self._check(error, waited, outage=outage)
                began = began if outage else self.clock()
                if not said and waited >= self.quiet_seconds:
                    said = True
                    self.say(f"{describe_error(error)}; trying again for up to {self.seconds:g} s")
                asked = error.after if isinstance(error, Transient) else 0.0
                self._rest(min(max(next(pauses), asked), self.seconds - waited))
            else:
                if said:
                    self.say(f"{self.what} is back after {self.clock() - began:.0f} s")
                return result

    def _check(self, error: ExperimentError, waited: float, *, outage: bool) -> None:
        """Raises if the outage is not, or no longer, waited out."""
        if self.seconds <= 0 or isinstance(error, Outlasted) or not (outage or isinstance(error, self.waits_for)):
            raise error
        if waited >= self.seconds:
            raise Outlasted(f"{describe_error(error)} (waited {self.seconds:g} s)") from error

    def _rest(self, seconds: float) -> None:
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0:
            if self.stopping():
                raise Interrupted(f"told to stop while {self.what} was away; launch again to go on")
            self.sleep(min(left, LOOK_SECONDS))


def outage_seconds(environ: Mapping[str, str]) -> float:
    """Returns the seconds of the longest outage that is waited out: ``OUTAGE_SECONDS``, 1800 by default."""
    return parse_seconds_of(environ, "OUTAGE_SECONDS", OUTAGE_SECONDS)


def parse_seconds_of(environ: Mapping[str, str], name: str, default: float) -> float:
    """Returns the seconds that a variable of the environment gives.

    Raises:
        InvalidInput: its value is not a finite number of at least 0.
    """
    given = environ.get(name, default)
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise refuse(name, given, "seconds of at least 0", "correct or unset it")
    return seconds
