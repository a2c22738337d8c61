"""The figures of inference have one set of names, and a record of them that cannot be is named."""

from __future__ import annotations

import pytest

from experiment.cell import Cell
from experiment.inference import BATCHES, FIGURES, find_wrong_figure, speed_name

CELL = Cell(dataset="digits", method="single", alpha=0.0)


def test_a_speed_is_named_after_its_batch():
    assert [speed_name(b) for b in BATCHES] == ["images_per_second_1", "images_per_second_64"]
    assert FIGURES == ("parameters", "multiply_adds", "images_per_second_1", "images_per_second_64")


@pytest.mark.parametrize("good", [{}, {"ST": {}}, {"ST": dict.fromkeys(FIGURES, 1)}, {"Ens": {"parameters": 3.5}}])
def test_what_a_record_lacks_is_not_wrong(good):
    assert find_wrong_figure(good, CELL) == ""


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"X": {}}, "inference is that of 'X'; allowed: ST, M, Ens"),
        ({"M": {"speed": 1}}, "inference of M has the figure 'speed'; allowed: parameters, "),
        ({"M": {"parameters": 0}}, "parameters of M is 0; allowed: more than 0"),
        ({"Ens": {"images_per_second_64": -2.0}}, "images_per_second_64 of Ens is -2.0; allowed: more than 0"),
    ],
)
def test_what_cannot_be_is_named_with_what_can(bad, words):
    assert find_wrong_figure(bad, CELL).startswith(words)
