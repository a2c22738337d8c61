"""Cells fall into studies: what differs in a setting is never averaged, and students stand beside who was not taught."""

from __future__ import annotations

import dataclasses

from experiment.cell import Cell
from experiment.grid import load_grid
from experiment.members import MEMBERS
from tests.aggregator import factories

ALONE = Cell(dataset="digits", method="single", epochs=2, train_examples=64, test_examples=20)


def learn(teacher, **changes):
    """A student of a teacher."""
    return dataclasses.replace(ALONE, method="distillation", alpha=1.0, teacher=teacher, **changes)


def test_settings_that_differ_are_never_averaged(tmp_path, gather):
    cells = [c for c in load_grid("demo").cells if c.method == "single"]
    longer = [dataclasses.replace(c, epochs=30, head="plain") for c in cells]
    store = factories.committed_store(tmp_path / "s", cells=[*cells, *longer])

    assert [s.setting for s in gather(store).studies] == ["epochs 20", "head plain"]


def test_students_are_in_the_study_of_their_settings_with_a_name_of_their_own(tmp_path, gather):
    cells = [c.with_seed(seed) for seed in range(2) for c in (ALONE, learn(ALONE))]
    (study,) = gather(factories.committed_store(tmp_path / "s", cells=cells)).studies

    assert (study.setting, [t.title for t in study.treatments]) == ("", ["Distillation 1.0", "Single"])
    assert study.collaborative() == []
    assert study.methods == ["distillation"]
    assert study.beside_single == study.collaborative(("distillation",))


def test_students_of_several_teachers_are_told_apart_and_of_other_settings_are_not_named_by_them(tmp_path, gather):
    other = dataclasses.replace(ALONE, method="ce", alpha=1.0)
    cells = [ALONE, other, learn(ALONE), learn(other), learn(ALONE, members=(MEMBERS["ST"],))]
    settings = {s.setting for s in gather(factories.committed_store(tmp_path / "s", cells=cells)).studies}

    assert settings == {"", "teacher single", "teacher ce/alpha=1", "members ST 3x1x8"}


def test_a_setting_that_is_a_list_has_no_comma(tmp_path, gather):
    pulled = dataclasses.replace(ALONE, method="ce", alpha=1.0, pull=(1.0, 0.0), temperature=4.0)
    studies = gather(factories.committed_store(tmp_path / "s", cells=[ALONE, pulled])).studies

    assert [s.setting for s in studies] == ["", "pull 1+0, temperature 4"]
