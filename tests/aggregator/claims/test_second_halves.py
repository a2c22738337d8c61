"""The second halves of claims 2 and 3: counted sizes are exact, measured times are tested over cells, and nothing is guessed."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from aggregator.claims import judge_claims
from aggregator.claims.rules import ALPHA
from aggregator.claims.second_halves import (
    NOT_MEASURED,
    SecondHalf,
    Share,
    compare_sizes,
    compare_times,
    judge_second_halves,
)
from experiment.grid import load_grid
from tests.aggregator import factories
from tests.aggregator.study_of import study_of


def times(share, cells, spread=0.02, seed=0):
    """Times of both models in so many cells, whose share has this true value."""
    noise = np.random.default_rng(seed).normal(0, spread, (2, cells))
    return [(share * math.exp(a), math.exp(b)) for a, b in noise.T]


def half(*shares, level=ALPHA):
    return SecondHalf(statement="s", rule="r", shares=shares, level=level)


@pytest.mark.parametrize(
    ("sizes", "verdict"),
    [
        ([(20, 100)], "supported"),
        ([(21, 100)], "refuted"),
        ([(20, 100), (21, 100)], "undecided"),
        ([], NOT_MEASURED),
    ],
)
def test_a_counted_share_is_exact_in_every_cell(sizes, verdict):
    assert half(compare_sizes("a fifth", 0.2, sizes)).verdict == verdict


@pytest.mark.parametrize(
    ("share", "cells", "verdict"),
    [(0.30, 8, "supported"), (0.37, 8, "refuted"), (1 / 3, 8, "undecided"), (0.30, 4, "undecided")],
)
def test_a_share_of_times_is_tested_from_five_cells_on(share, cells, verdict):
    found = compare_times("a third", 1 / 3, times(share, cells, spread=0.01, seed=3))

    assert half(found).verdict == verdict
    assert found.bounds[0] < found.value < found.bounds[1]
    assert found.value == pytest.approx(share, rel=0.02)
    assert found.cells == cells


def test_one_cell_has_a_share_and_no_interval():
    found = compare_times("a third", 1 / 3, [(1.0, 4.0)])

    assert (found.value, found.face) == (0.25, True)
    assert np.isnan(found.bounds).all()
    assert half(found).verdict == "undecided"


def test_at_the_border_a_time_is_called_supported_in_at_most_a_fortieth_of_runs():
    judged = [half(compare_times("", 1 / 3, times(1 / 3, 6, seed=s))).verdict for s in range(1000)]

    assert judged.count("supported") <= 0.035 * len(judged)
    assert judged.count("refuted") <= 0.035 * len(judged)


def test_all_shares_must_hold_and_one_that_fails_refutes():
    holds, fails = Share(says="", limit=1, value=0.5, p_holds=0.0), Share(says="", limit=1, value=2, p_fails=0.004)
    unknown = Share(says="", limit=1)

    assert half(holds, holds).verdict == "supported"
    assert half(holds, fails).verdict == "refuted"
    assert half(holds, unknown).verdict == "undecided"
    assert half(fails, unknown).verdict == "refuted"
    assert half(unknown, unknown).verdict == NOT_MEASURED
    assert half(holds, fails, level=ALPHA / 4).verdict == "undecided", "a second look, at a smaller level"
    assert half().verdict == "undecided", "nothing to compare"


def judge(inference):
    """The second halves of a run of 13 cells, of each of which ``inference`` says what it takes."""
    cells = load_grid("demo").cells
    studies = study_of(cells)
    facts = {c.id: inference(c) for c in cells}
    return judge_second_halves(studies, facts, judge_claims(studies))


def test_a_run_that_is_as_the_paper_says_supports_both():
    found = judge(lambda cell: {"inference": factories.made_inference(cell)})

    assert {name: h.verdict for name, h in found.items()} == {"2": "supported", "3": "supported"}
    assert [round(s.value, 2) for s in found["2"].shares] == [0.17, 0.25, 0.25]
    assert [round(s.value, 2) for s in found["3"].shares] == [0.86, 0.8, 0.8]


def test_a_speed_up_of_two_is_no_threefold_one_and_a_tenth_of_the_time_is_not_noticeable():
    slow = {"ST": 2e-4, "M": 4e-4, "Ens": 4.1e-4}
    found = judge(lambda cell: {"inference": factories.made_inference(cell, slow)})

    assert {name: h.verdict for name, h in found.items()} == {"2": "refuted", "3": "refuted"}
    assert [s.face for s in found["2"].shares] == [True, False, False]


@pytest.mark.parametrize("facts", [{}, {"inference": {}}])
def test_cells_of_the_time_before_it_was_measured_judge_nothing(facts):
    assert {h.verdict for h in judge(lambda cell: facts).values()} == {NOT_MEASURED}


def test_counts_without_speeds_leave_what_they_cannot_refute_undecided():
    def counted(cell):
        made = factories.made_inference(cell)
        return {"inference": {m: {"parameters": own["parameters"]} for m, own in made.items()}}

    assert {h.verdict for h in judge(counted).values()} == {"undecided"}


def test_the_level_is_that_of_the_claim():
    cells = load_grid("demo").cells
    studies = study_of(cells)
    looked = [dataclasses.replace(c, looks=2) for c in judge_claims(studies)]

    assert {h.level for h in judge_second_halves(studies, {}, looked).values()} == {ALPHA / 4}
