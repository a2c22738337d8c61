"""Only what may work another time is tried again, with growing pauses."""

from __future__ import annotations

import itertools

import pytest

from experiment.errors import InvalidInput, Transient
from experiment.retry import LONGEST_LOOK_PAUSE, look_pauses, retry_transient


def failing(errors):
    """An operation that raises these errors in turn, then returns "done"; and the list of its calls."""
    calls = []

    def operation():
        calls.append(None)
        if len(calls) <= len(errors):
            raise errors[len(calls) - 1]
        return "done"

    return operation, calls


def test_a_transient_failure_is_tried_again_until_it_works():
    operation, calls = failing([Transient("a"), Transient("b")])

    assert retry_transient(operation, attempts=5, sleep=lambda _: None) == "done"
    assert len(calls) == 3


def test_the_last_failure_is_raised_when_the_attempts_are_used_up():
    operation, calls = failing([Transient("a"), Transient("b"), Transient("c")])
    with pytest.raises(Transient, match="c"):
        retry_transient(operation, attempts=3, sleep=lambda _: None)

    assert len(calls) == 3


def test_what_can_never_work_is_not_tried_again():
    operation, calls = failing([InvalidInput("no")])
    with pytest.raises(InvalidInput):
        retry_transient(operation, attempts=3, sleep=lambda _: None)

    assert len(calls) == 1


def test_pauses_grow_up_to_the_longest_and_vary():
    operation, _ = failing([Transient(str(n)) for n in range(5)])
    pauses: list[float] = []
    retry_transient(operation, attempts=6, first_pause=1, longest_pause=5, sleep=pauses.append)

    for pause, whole in zip(pauses, (1, 2, 4, 5, 5), strict=True):
        assert whole / 2 <= pause <= whole


def test_looks_at_what_lasts_grow_rare_and_stay_frequent_enough():
    pauses = look_pauses(5)
    began = list(itertools.takewhile(lambda pause: pause == 5, pauses))

    assert len(began) == pytest.approx(60, abs=1)  # five minutes of looks every 5 s
    assert list(itertools.islice(pauses, 200))[-1] == LONGEST_LOOK_PAUSE
    assert next(look_pauses(60)) == 60
