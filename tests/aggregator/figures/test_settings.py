"""The figure of settings names its rows by the values that vary. What it draws, tests/aggregator/report/test_settings.py says."""

from __future__ import annotations

import dataclasses

from aggregator.figures.settings import best_of, name_setting
from aggregator.study import SINGLE, Treatment
from experiment.grid import load_grid
from tests.aggregator.study_of import study_of


def test_the_papers_settings_have_a_name_too():
    cells = [c for c in load_grid("demo").cells if c.method == "single"]
    one, other = study_of([*cells, *(dataclasses.replace(c, weight_decay=0.0) for c in cells)])

    assert (name_setting(one), name_setting(other)) == ("as in the paper", "weight_decay 0.0")


def test_a_row_is_named_by_its_values_and_a_method_stands_for_its_best_alpha():
    cells = [c for c in load_grid("demo").cells if c.method in ("single", "l2")]
    both = [dataclasses.replace(c, learning_rate=rate) for rate in (0.5, 0.25) for c in cells]
    one, other = study_of(both)

    assert (name_setting(one), name_setting(other)) == ("learning_rate 0.5", "learning_rate 0.25")
    assert best_of(one, "single") == SINGLE
    assert best_of(one, "l2") in [Treatment("l2", a) for a in (1.0, 0.1, 0.01, 0.0001)]
    assert best_of(one, "ce") is None
