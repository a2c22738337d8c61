"""Cells from the settings of a grid file: their teachers by table and by id."""

from __future__ import annotations

import pytest

from experiment.errors import InvalidInput
from experiment.grid import parse_grid
from experiment.members import MEMBERS

BASE = {"dataset": "digits", "epochs": 5, "seed": [0, 1], "alpha": 1.0}


def parse(*blocks, base=BASE, **tables):
    """The cells of a grid of these products."""
    return parse_grid("g", {"base": base, "product": list(blocks), **tables}).cells


def test_a_teacher_by_table_has_its_students_seed_and_joins_the_grid():
    cells = parse({"method": "distillation", "teacher": {"method": "single", "members": ["M"]}}, expect=4)
    students = [c for c in cells if c.teacher]

    assert [(c.method, c.seed) for c in cells] == [
        ("single", 0),
        ("distillation", 0),
        ("single", 1),
        ("distillation", 1),
    ]
    assert {s.teacher.members for s in students} == {(MEMBERS["M"],)}
    assert {s.teacher.epochs for s in students} == {5}


def test_several_teachers_are_an_axis():
    taught = parse({"method": "distillation", "teacher": [{"method": "ce", "alpha": 0.1}, {"method": "single"}]})

    assert {c.describe("teacher") for c in taught if c.teacher} == {"ce/alpha=0.1", "single"}


def test_a_teacher_by_id_is_a_cell_of_the_grid_wherever_it_stands():
    one = {**BASE, "seed": 1}
    (teacher,) = parse({"method": "ce"}, base=one)
    cells = parse({"method": "distillation", "teacher": teacher.id}, {"method": "ce"}, base=one)

    assert cells[0].teacher == cells[1] == teacher


def test_a_member_of_a_teacher_is_known_or_defined():
    taught = {"method": "distillation", "teacher": {"method": "single", "members": ["L"]}}
    with pytest.raises(InvalidInput, match="a member is 'L'; allowed: ST, M"):
        parse(taught)

    assert parse(taught, member={"L": {"bricks": 2, "blocks": 3, "filters": 4}})[0].members[0].blocks == 3
