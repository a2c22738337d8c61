"""An outage of the store costs waiting: neither an attempt nor a number of the result."""

from __future__ import annotations

import dataclasses

import pytest

from experiment.errors import Diverged, Interrupted, InvalidInput, Misconfigured, NotFound, Transient
from experiment.outage import LONGEST_PAUSE, Outlasted, Patience, outage_seconds


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


@pytest.mark.parametrize("seconds", [0, 50])
def test_told_to_stop_an_outage_is_no_failure_however_short_the_patience(seconds):
    """Without the signal it would be raised as it came, or as outlasted."""
    clock = Clock(until=0)
    patience = dataclasses.replace(clock.patience(), seconds=seconds)
    with pytest.raises(Interrupted, match="told to stop while the store was away; launch again to go on"):
        patience.wait_out(Away(clock, 100, Transient("away")))


class Steps:
    """An operation that meets these errors in turn, then returns."""

    def __init__(self, *errors):
        self.errors = list(errors)

    def __call__(self):
        if self.errors:
            raise self.errors.pop(0)
        return "result"


def after(seconds):
    error = Transient("slow down")
    error.after = seconds
    return error


def test_a_server_that_asks_for_time_gets_it_within_the_longest_outage():
    clock = Clock()
    assert clock.patience().wait_out(Steps(after(120))) == "result"
    assert clock.now == pytest.approx(120)

    clock = Clock()
    with pytest.raises(Outlasted):
        clock.patience(seconds=60).wait_out(Away(clock, 1000, after(500)))
    assert clock.now == pytest.approx(60)


def test_an_outage_that_was_waited_out_in_vain_is_not_waited_for_again_by_who_waits_for_more():
    inner, outer = Clock(), Clock()
    with pytest.raises(Outlasted, match=r"^away \(waited 600 s\)$"):
        outer.patience().wait_out(lambda: inner.patience().wait_out(Away(inner, 10_000, Transient("away"))))

    assert (outer.now, outer.said) == (0, [])


def test_refusals_that_begin_no_outage_belong_to_one_that_has_begun():
    clock = Clock()
    patience = dataclasses.replace(clock.patience(), waits_for=(Transient,))
    with pytest.raises(Misconfigured):
        patience.wait_out(Steps(Misconfigured("refused")))

    assert patience.wait_out(Steps(Transient("starts"), Misconfigured("refused"))) == "result"


def test_an_outage_that_ends_soon_is_not_worth_a_line():
    clock = Clock()
    patience = dataclasses.replace(clock.patience(), quiet_seconds=5.0, what="the server")

    patience.wait_out(Away(clock, 2, Transient("away")))
    assert clock.said == []
    patience.wait_out(Away(clock, 60, Transient("away")))
    assert len(clock.said) == 2
    assert clock.said[1].startswith("the server is back after ")


def test_the_environment_gives_the_longest_outage():
    assert (outage_seconds({}), outage_seconds({"OUTAGE_SECONDS": "2.5"})) == (1800, 2.5)
    with pytest.raises(InvalidInput, match="OUTAGE_SECONDS"):
        outage_seconds({"OUTAGE_SECONDS": "long"})
