"""An outage of the store costs waiting: neither an attempt nor a number of the result."""

from __future__ import annotations

import pytest

from experiment.errors import Diverged, Interrupted, InvalidInput, Misconfigured, NotFound, Transient
from trainer.outage import LONGEST_PAUSE, Patience


class Clock:
    """A clock that only sleeping moves; ``until`` is when somebody tells the process to stop."""

    def __init__(self, until=float("inf")):
        self.now, self.until, self.said = 0.0, until, []

    def sleep(self, seconds):
        self.now += seconds

    def patience(self, seconds=600.0):
        return Patience(
            seconds=seconds,
            stopping=lambda: self.now >= self.until,
            say=self.said.append,
            clock=lambda: self.now,
            sleep=self.sleep,
        )


class Away:
    """An operation that fails until a time of the clock."""

    def __init__(self, clock, until, error):
        self._clock, self._until, self._error, self.tries = clock, until, error, 0

    def __call__(self):
        self.tries += 1
        if self._clock.now < self._until:
            raise self._error
        return "result"


@pytest.mark.parametrize("error", [Transient("no route; launch again later"), Misconfigured("refused; log in again")])
def test_what_may_be_mended_is_waited_for(error):
    clock = Clock()
    away = Away(clock, 200, error)

    assert clock.patience().wait_out(away) == "result"
    assert 200 <= clock.now <= 200 + LONGEST_PAUSE
    assert away.tries < 20
    assert clock.said == [f"{error}; trying again for up to 600 s", f"the store is back after {clock.now:.0f} s"]


@pytest.mark.parametrize(
    "error", [InvalidInput("bad"), NotFound("absent"), Diverged("inf"), Interrupted("stop"), KeyError("x")]
)
def test_what_waiting_cannot_mend_is_raised_at_once(error):
    clock = Clock()
    away = Away(clock, 200, error)
    with pytest.raises(type(error)):
        clock.patience().wait_out(away)

    assert (away.tries, clock.said) == (1, [])


@pytest.mark.parametrize("error", [Transient("no route"), Misconfigured("refused")])
def test_after_the_longest_outage_it_is_a_failure_that_another_attempt_may_not_have(error):
    clock = Clock()
    with pytest.raises(Transient, match=rf"{error} \(waited 600 s\)"):
        clock.patience().wait_out(Away(clock, 10_000, error))

    assert 600 <= clock.now <= 600 + LONGEST_PAUSE


def test_a_person_who_is_present_sees_the_error_at_once():
    clock = Clock()
    with pytest.raises(Misconfigured, match=r"^refused$"):
        clock.patience(seconds=0).wait_out(Away(clock, 10, Misconfigured("refused")))


def test_each_outage_has_the_whole_time():
    clock = Clock()
    patience = clock.patience()
    for end in (500, 1000, 1500):
        assert patience.wait_out(Away(clock, end, Transient("away"))) == "result"


def test_being_told_to_stop_ends_the_waiting():
    clock = Clock(until=30)
    with pytest.raises(Interrupted, match="told to stop while the store was away"):
        clock.patience().wait_out(Away(clock, 100, Transient("away")))

    assert clock.now < 31
