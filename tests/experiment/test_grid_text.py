"""Cells written as a grid file are read back as the same cells."""

from __future__ import annotations

import dataclasses

import pytest

from experiment.errors import InvalidInput
from experiment.grid import built_in, load_grid
from experiment.grid_text import format_grid
from experiment.members import Member


def read_back(tmp_path, cells, remarks=()):
    path = tmp_path / "next.toml"
    path.write_text(format_grid(cells, remarks))
    return load_grid(str(path)).cells


@pytest.mark.parametrize("name", built_in())
def test_every_built_in_grid_survives_with_its_ids(tmp_path, name):
    cells = load_grid(name).cells

    assert sorted(c.id for c in read_back(tmp_path, cells)) == sorted(c.id for c in cells)


def test_cells_of_different_seeds_and_settings_survive(tmp_path):
    cells = [c for c in load_grid("demo").with_seeds(4).cells if c.method != "l1" or c.seed < 2]
    cells += [dataclasses.replace(c, epochs=7, learning_rate=1e-5, head="plain") for c in cells[:5]]
    deep = Member(name="D", bricks=2, blocks=9, filters=4)
    cells += [dataclasses.replace(cells[0], members=(*cells[0].members, deep))]

    assert {c.id for c in read_back(tmp_path, cells, ["why", "and how"])} == {c.id for c in cells}


def test_settings_beyond_the_paper_survive_beside_cells_without_them(tmp_path):
    cells = list(load_grid("demo").cells[1:4])
    cells += [dataclasses.replace(c, pull=(1.0, 0.0), augment="shift+flip") for c in cells]
    cells += [dataclasses.replace(cells[0], unlabelled="noise", unlabelled_share=0.5, temperature=2.0)]

    for order in (cells, cells[::-1]):
        assert {c.id for c in read_back(tmp_path, order)} == {c.id for c in cells}


def test_remarks_are_comments(tmp_path):
    text = format_grid(load_grid("smoke").cells, ["Claim 1 needs 8 seeds."])

    assert text.startswith("# Claim 1 needs 8 seeds.\nexpect = ")


def test_two_shapes_of_one_name_are_refused():
    cell = load_grid("smoke").cells[0]
    other = dataclasses.replace(cell.members[0], filters=6)
    cells = [cell, dataclasses.replace(cell, members=(other, *cell.members[1:]))]

    with pytest.raises(InvalidInput, match=r"one shape for each name"):
        format_grid(cells)
