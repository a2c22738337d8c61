"""Reliability: bins by confidence, the expected calibration error, and the treatments that are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from aggregator.figures.reliability import (
    calibration_floor,
    drawn_treatments,
    even_bins,
    plot_reliability,
)
from aggregator.reading.recomputed import calibration_error
from aggregator.study import SINGLE
from tests.aggregator import factories


def test_groups_of_equal_size_show_more_than_one_point_of_a_sure_model():
    confidence = np.concatenate([np.linspace(0.5, 0.9, 60), np.linspace(0.95, 1, 240)])
    sure, good = even_bins(confidence, np.arange(300) >= 30)

    assert len(sure) == 15, "bins of equal width would show most of these examples as one point"
    assert list(sure) == sorted(sure)
    assert good[0] == 0 and good[-1] == 1
    assert len(even_bins(confidence[:5], np.ones(5, bool))[0]) == 1


def test_the_floor_is_what_perfectly_calibrated_models_stay_below():
    random = np.random.default_rng(1)
    confidence = 1 - random.beta(1, 12, 2_000)
    drawn = [calibration_error(confidence, random.random(2_000) < confidence) for _ in range(400)]

    assert calibration_floor(confidence) == pytest.approx(np.quantile(drawn, 0.95), rel=0.12)


def test_single_and_the_best_alpha_of_each_method_are_drawn(tmp_path, gather):
    def error(cell, model):
        return factories.flat_error(cell, model) + (0.1 if cell.alpha != 0.01 else 0)

    material = gather(factories.committed_store(tmp_path / "s", error=error))
    study = material.studies[0]

    assert [t.title for t in drawn_treatments(study)] == ["Single", "CE 0.01", "L2 0.01", "L1 0.01"]
    assert "L2 0.01: ECE" in plot_reliability(study, study.cells, material.predictions).svg
    assert plot_reliability(study, study.cells, {}) is None
    assert drawn_treatments(study)[0] == SINGLE
