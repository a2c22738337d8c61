"""Which gains are set beside each other, and what their difference is."""

from __future__ import annotations

import dataclasses

import pytest

from aggregator.claims.contrasts import (
    across_settings,
    against_controls,
    between_methods,
    leaves_neutral,
    shared_members,
    shared_models,
)
from experiment.cell import Cell
from experiment.members import MEMBERS, Member
from tests.aggregator.study_of import study_of

BASE = Cell(dataset="mnist", method="single", epochs=2)
DEEP = Member(name="D", bricks=3, blocks=18, filters=8)


def made_cells(*settings, seeds=5, methods=("single", "l2")):
    alphas = {"single": 0.0, "l2": 0.01}
    return [
        dataclasses.replace(BASE, method=m, alpha=alphas.get(m, 1.0), seed=s, **more)
        for more in settings
        for m in methods
        for s in range(seeds)
    ]


def made_error(cell, model):
    """Single has 10 % errors; l2 gains 2 points, 3 on shifted images; Single alone gains 1 by smoothed labels."""
    gain = {"none": 0.02, "shift": 0.03}[cell.augment] if cell.method == "l2" else 0.01 * (cell.label_smoothing > 0)
    return 0.1 - gain + 1e-3 * cell.seed


def test_a_gain_in_one_setting_is_set_beside_that_in_the_neutral_one():
    studies = study_of(made_cells({}, {"augment": "shift"}), made_error)
    (contrast,) = across_settings("augment")(studies)
    parts = contrast.parts()

    assert contrast.value == "augment shift"
    assert [t.home.setting for t in parts[0].terms] == [
        "augment shift",
        "",
        "augment shift",
        "",
    ]
    assert [p.difference.effect for p in parts] == pytest.approx([-1.0] * 3), "percentage points, ST, M and Ens"
    assert [p.tenth for p in parts] == pytest.approx([1.02] * 3), "of Single in the neutral setting"
    assert {p.seeds for p in parts} == {5}


def test_a_setting_of_collaboration_alone_shares_the_single_of_the_neutral_setting():
    cells = [*made_cells({}), *made_cells({"alpha_plan": "late"}, methods=("l2",))]
    (contrast,) = across_settings("alpha_plan")(study_of(cells, made_error))
    part = contrast.parts()[0]

    assert [(t.treatment.method, t.factor) for t in part.terms] == [("l2", 1), ("l2", -1)], "it cancels out"
    assert part.reference[0].treatment.method == "single"


def test_another_setting_without_its_own_single_says_nothing():
    cells = [*made_cells({}), *made_cells({"augment": "shift"}, methods=("l2",))]

    assert [*across_settings("augment")(study_of(cells, made_error))] == []


def test_studies_that_differ_in_more_than_the_setting_are_not_set_beside_each_other():
    cells = made_cells({}, {"augment": "shift", "batch_size": 32}, {"augment": "shift", "dataset": "cifar10"})

    assert [*across_settings("augment")(study_of(cells, made_error))] == []


def test_pairs_are_the_seeds_that_all_runs_share():
    cells = [*made_cells({}, seeds=7), *made_cells({"augment": "shift"}, seeds=6)]
    (contrast,) = across_settings("augment")(study_of(cells, made_error))

    assert {p.seeds for p in contrast.parts()} == {6}


def test_methods_are_set_beside_the_papers_within_a_study():
    studies = study_of(made_cells({}, methods=("single", "l2", "mutual")), made_error)
    (contrast,) = between_methods("mutual", "consensus")(studies)

    assert (contrast.value, contrast.first.treatment.method, contrast.second.treatment.method) == (
        "Mutual",
        "mutual",
        "l2",
    )
    assert contrast.parts()[0].difference.effect == pytest.approx(2.0), "mutual gains nothing here"


def test_a_control_is_single_alone_in_another_setting():
    cells = [*made_cells({}), *made_cells({"label_smoothing": 0.1}, methods=("single",))]
    (contrast,) = against_controls("label_smoothing", "weight_decay")(study_of(cells, made_error))

    assert contrast.value == "label_smoothing 0.1"
    assert contrast.parts()[0].difference.effect == pytest.approx(-1.0), "2 points beside 1"


def test_members_are_shared_if_name_and_architecture_are():
    deep = dataclasses.replace(BASE, members=(MEMBERS["ST"], DEEP))
    other = dataclasses.replace(BASE, members=(MEMBERS["ST"], dataclasses.replace(DEEP, name="M")))

    assert shared_members(BASE, deep) == shared_members(BASE, other) == ["ST"]
    assert shared_models(BASE, deep) == ["ST", "Ens"]


def test_a_step_begins_at_the_neutral_value():
    shifted = dataclasses.replace(BASE, augment="shift")

    assert leaves_neutral(BASE, shifted)
    assert not leaves_neutral(shifted, dataclasses.replace(BASE, augment="shift+flip"))
