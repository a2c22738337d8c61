"""What is compared: values by seed, recorded or derived from curves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from aggregator.claims.columns import (
    DISTANCE,
    ROUGHNESS,
    TRAINING,
    Term,
    curve_roughness,
    seed_values,
    shares_of,
    signed_distance,
)
from aggregator.study import SINGLE
from experiment.grid import load_grid
from experiment.members import ENSEMBLE
from tests.aggregator import factories


@pytest.fixture
def study(tmp_path, gather):
    cells = [c for c in load_grid("demo").with_seeds(2).cells if c.method == "single"]
    return gather(factories.committed_store(tmp_path / "s", cells=cells, predictions=False)).studies[0]


def test_a_straight_curve_has_no_roughness_and_a_jagged_one_has():
    curve = pd.DataFrame({0: [4.0, 3.0, 2.0, 1.0], 1: [4.0, 2.0, 3.0, 1.0]})

    assert curve_roughness(curve)[0].tolist() == [0.0, 0.0]
    assert curve_roughness(curve)[1].tolist() == [3.0, 3.0]


def test_restlessness_counts_from_the_first_halving_of_the_learning_rate_on(study):
    term = Term(SINGLE, "M", 1, ROUGHNESS)
    assert seed_values(study, term).empty, "the made rate never falls"

    rows = study.rows.copy()
    rows.loc[rows["epoch"] >= 11, "learning_rate"] /= 2
    halved = dataclasses.replace(study, rows=rows)
    late = study.curve(SINGLE, "M").loc[11:]

    assert seed_values(halved, term).to_dict() == pytest.approx(curve_roughness(late).mean().to_dict())


def test_a_distance_is_positive_on_average_and_keeps_the_spread():
    apart = signed_distance(np.array([1.0, 1.0, 1.0]), np.array([2.0, 3.0, 0.5]))

    assert apart.tolist() == [1.0, 2.0, -0.5]


def test_the_shares_of_a_figure_add_up_to_it(study):
    for column in (DISTANCE, TRAINING, "test_error"):
        term = Term(SINGLE, "M" if column != DISTANCE else ENSEMBLE, 1, column)
        total = sum(share.rate * share.factor for share in shares_of(study, term, 0))

        assert total == pytest.approx(seed_values(study, term)[0])
    assert shares_of(study, Term(SINGLE, "M", 1, ROUGHNESS), 0) is None
