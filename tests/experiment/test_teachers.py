"""A student and its teacher: one data set, one seed, and each cell of a grid beside the one that teaches it."""

from __future__ import annotations

import dataclasses

import pytest

from experiment.cell import Cell
from experiment.errors import InvalidInput
from experiment.grid import Grid, load_grid
from experiment.grid_cells import complete_teacher
from experiment.members import MEMBERS
from experiment.teachers import add_teachers, describe_teacher, find_teacher

TEACHER = Cell(dataset="digits", method="ce", alpha=1.0, seed=2, validation_examples=100)
STUDENT = dataclasses.replace(TEACHER, method="distillation", teacher=TEACHER)


def learn_from(**changes):
    """A student of the teacher with these changes."""
    return dataclasses.replace(STUDENT, teacher=dataclasses.replace(TEACHER, **changes))


BAD = {
    "no teacher": (
        lambda: dataclasses.replace(STUDENT, teacher=None),
        "teacher of method distillation is None; .* add",
    ),
    "no cell": (lambda: dataclasses.replace(STUDENT, teacher="it"), "teacher is 'it'; allowed: a cell"),
    "another method": (lambda: dataclasses.replace(STUDENT, method="ce"), "teacher of method ce .* allowed: none"),
    "another data set": (lambda: learn_from(dataset="mnist"), "allowed: a cell of data set digits and seed 2"),
    "another seed": (lambda: learn_from(seed=3), "teacher is 'digits-ce-1-s3-.*; allowed: a cell of .* seed 2"),
    "its own images": (lambda: learn_from(validation_examples=99), "validation_examples of a teacher is 99; .* 100"),
    "a student": (lambda: learn_from(method="distillation", teacher=TEACHER), "allowed: a cell that has no teacher"),
    "stale": (lambda: dataclasses.replace(STUDENT, stale_epochs=1), "stale_epochs of method distillation is 1"),
    "pairs": (lambda: dataclasses.replace(STUDENT, pairs="all"), "pairs of method distillation"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_what_is_no_teacher_is_refused(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


def test_one_member_may_learn_from_an_ensemble_softened_and_pulled():
    alone = dataclasses.replace(STUDENT, members=(MEMBERS["ST"],), temperature=4.0, pull=(0.5,))

    assert Cell.from_dict(alone.as_dict()) == alone
    assert alone.extensions_text.startswith("pull=0.5 temperature=4 validation_examples=100 teacher=ce/alpha=1/")


def test_a_teacher_is_described_by_what_is_different_from_its_student():
    assert describe_teacher(TEACHER) == ""
    assert describe_teacher(STUDENT) == "ce/alpha=1"
    other = learn_from(epochs=60, pull=(1.0, 0.0), members=(MEMBERS["M"], MEMBERS["ST"]))
    assert describe_teacher(other) == "ce/alpha=1/members=M:3x2x16+ST:3x1x8/epochs=60/pull=1+0"


def test_another_seed_is_the_teachers_too():
    assert STUDENT.with_seed(7).teacher == TEACHER.with_seed(7)
    assert TEACHER.with_seed(7).seed == 7


def test_a_grid_holds_the_teachers_of_its_students_once_and_before_them():
    both = [STUDENT, dataclasses.replace(STUDENT, temperature=2.0)]
    grid = Grid(name="g", cells=tuple(both))

    assert grid.cells == (TEACHER, *both)
    assert grid.teachers == {1: 0, 2: 0}
    assert add_teachers([*both, TEACHER]) == (*both, TEACHER)
    assert grid.only(["method=distillation", "temperature=2"]).cells == (TEACHER, both[1])
    assert [c.seed for c in grid.with_seeds(2).cells] == [0, 0, 0, 1, 1, 1]


def test_the_baselines_have_distillation_from_members_trained_alone():
    grid = load_grid("baselines-digits")
    students = [c for c in grid.cells if c.teacher]

    assert len(students) == 20
    assert {describe_teacher(c) for c in students} == {"single"}
    assert {c.teacher for c in students} <= set(grid.cells)


def test_a_table_is_completed_from_the_student_by_the_papers_settings_alone():
    student = {"dataset": "digits", "seed": 1, "epochs": 5, "augment": "shift", "alpha": 1.0, "members": ["M"]}

    assert complete_teacher({"epochs": 9}, student) == {"method": "single", "epochs": 9, "members": ["M"]}
    for name in ("dataset", "seed", "data", "teacher"):
        with pytest.raises(InvalidInput, match=f"{name} of a teacher is 1; allowed: none"):
            complete_teacher({name: 1}, student)


@pytest.mark.parametrize("given", ["digits-ce-1-s0-0000000000", 3, TEACHER.with_seed(1).id], ids=str)
def test_an_id_that_names_no_teacher_is_refused(given):
    cells = [TEACHER, TEACHER.with_seed(1)]
    student = {"dataset": "digits", "seed": 2}

    assert find_teacher(TEACHER.id, student, cells) is TEACHER
    with pytest.raises(
        InvalidInput, match=r"teacher is .*; allowed: a table of settings, or the id of a cell of this grid"
    ):
        find_teacher(given, student, cells)
