"""The questions beyond the paper, on made runs whose truth is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aggregator.claims.questions import QUESTIONS, judge_questions
from aggregator.claims.verdict import NO_DIFFERENCE, REFUTED, SUPPORTED, UNDECIDED
from experiment.cell import Cell
from experiment.grid import load_grid
from experiment.looks import Look
from tests.aggregator.study_of import study_of

ASKED = {  # by grid, the questions that it speaks about, and how often
    "longer": {"longer": 1},
    "augmented": {"augmented": 2},
    "alpha-over-time": {"alpha-over-time": 3},
    "asymmetric": {"asymmetric": 2, "later-methods": 1},
    "larger": {"larger": 2, "all-pairs": 1, "later-methods": 1},
    "identical": {"identical": 2},
    "deep": {"deep": 1},
    "unlabelled": {"unlabelled": 2},
    "baselines": {"codistillation": 1, "later-methods": 2, "offline": 1, "regularisers": 4},
    "demo": {},
}
REPEATS = 200


def made_cells(seeds=6):
    methods = (("single", 0.0), ("l2", 0.01), ("ce", 1.0))
    return [
        Cell(dataset="mnist", method=m, alpha=a, epochs=e, seed=s)
        for e in (1, 2)
        for m, a in methods
        for s in range(seeds)
    ]


def jitter(cell, model):
    return (sum(map(ord, cell.id + model)) % 7) * 1e-4


def gains(longer):
    """Errors of 20 %; collaboration gains 5 points, and ``longer`` in the longer training."""

    def error(cell, model):
        gain = longer if cell.epochs == 2 else 0.05
        return 0.2 - gain * (cell.method != "single") + jitter(cell, model)

    return error


@pytest.mark.parametrize("grid", ASKED)
def test_each_grid_speaks_about_its_questions(grid):
    cells = [dataclasses.replace(c, epochs=3 if c.epochs > 30 else 2) for c in load_grid(grid).cells if c.seed < 2]
    found = judge_questions(study_of(cells, lambda c, m: 0.1 + jitter(c, m)))
    names = [q.name for q in QUESTIONS for c in found if c.said.startswith(q.asks)]

    assert {n: names.count(n) for n in names} == ASKED[grid]
    assert len({c.name for c in found}) == len(found)
    assert all(d.parts for c in found for d in c.demands)


@pytest.mark.parametrize(
    ("longer", "verdict"), [(0.1, SUPPORTED), (0.0, REFUTED), (0.05, NO_DIFFERENCE), (0.07, UNDECIDED)]
)
def test_a_question_is_answered_as_the_truth_is(longer, verdict):
    error, noise = gains(longer), 100 if verdict == UNDECIDED else 1
    (found,) = judge_questions(study_of(made_cells(), lambda c, m: error(c, m) + noise * jitter(c, m)))

    assert (found.name, found.verdict) == ("longer-epochs-2", verdict)
    assert found.holm == found.p


def test_holms_correction_is_over_the_questions_alone():
    cells = [*made_cells(), *(dataclasses.replace(c, augment="shift") for c in made_cells() if c.epochs == 1)]
    found = judge_questions(study_of(cells, gains(0.1)))

    assert [c.name for c in found] == ["longer-epochs-2", "augmented-augment-shift"]
    smallest = min(c.p for c in found)
    assert 2 * smallest in [c.holm for c in found]


@pytest.mark.parametrize(("seeds", "remark"), [(1, "One run of each"), (4, "Tests begin at 5 seeds")])
def test_few_seeds_decide_nothing(seeds, remark):
    (found,) = judge_questions(study_of(made_cells(seeds), gains(0.1)))

    assert (found.verdict, found.face, found.seeds) == (UNDECIDED, "yes", seeds)
    assert found.remark.startswith(remark)


def test_a_look_at_either_study_is_paid_for():
    studies = study_of(made_cells(), gains(0.1))
    (found,) = judge_questions(studies, {studies[0].slug: Look(number=2, seeds=tuple(range(6)))})

    assert (found.looks, found.level) == (2, 0.025 / 4)


@pytest.mark.parametrize("truly_holding", [0, 3], ids=["no difference", "one too few"])
def test_false_support_stays_at_the_level(truly_holding):
    """Six comparisons, of which four must hold: with three that surely do, the level is used up."""
    studies = study_of(made_cells(5), gains(0.05))
    rng = np.random.default_rng(0)
    sure = [("l2", "ST"), ("l2", "M"), ("l2", "Ens")][:truly_holding]
    hits = sum(judge_questions([_noisy(s, rng, sure) for s in studies])[0].verdict == SUPPORTED for _ in range(REPEATS))

    assert hits / REPEATS <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / REPEATS)


def _noisy(study, rng, sure):
    rows = study.rows
    holds = [pair in sure for pair in zip(rows["method"], rows["model"], strict=True)]
    lower = 0.1 * np.array(holds) * (study.cells[0].epochs == 2)
    return dataclasses.replace(study, rows=rows.assign(test_error=0.2 - lower + rng.normal(0, 0.01, len(rows))))
