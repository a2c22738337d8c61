"""The figures that logits come to: as the trainer's, which are computed in another way, and compared with the last epoch's."""

from __future__ import annotations

import numpy as np
import pytest

from aggregator.reading.recomputed import calibration_error, check_figures, score_logits
from experiment.errors import InvalidInput
from experiment.members import ENSEMBLE
from trainer.model import metrics

MODELS = ("ST", "M", ENSEMBLE)


@pytest.fixture(scope="module")
def scored_and_rows():
    """Logits of two members and their ensemble, and the figures that the trainer records of them."""
    random = np.random.default_rng(3)
    label = random.integers(0, 7, 500)
    logits = (random.normal(0, 2, (2, 500, 7)) + 2 * np.eye(7)[label]).astype(np.float32)
    rows = dict(zip(MODELS, metrics.test_figures(label, logits, [0.1, 0.2]), strict=True))
    each = zip(MODELS, metrics.ensemble_logits(logits), strict=True)
    return {model: score_logits(label, own.astype(float)) for model, own in each}, rows


def test_the_trainers_figures_are_found_in_its_logits(scored_and_rows):
    check_figures(*scored_and_rows, "p")


@pytest.mark.parametrize("figure", ["test_error", "test_cross_entropy", "test_ece", "test_agreement"])
@pytest.mark.parametrize("model", MODELS)
def test_another_figure_of_any_model_is_named(scored_and_rows, figure, model):
    scored, rows = scored_and_rows
    edited = {**rows, model: {**rows[model], figure: rows[model][figure] * 1.001}}

    with pytest.raises(InvalidInput, match=f"^p has an? .* for {model}, and the last epoch of its commit"):
        check_figures(scored, edited, "p")


def test_a_model_without_rows_is_not_compared(scored_and_rows):
    scored, rows = scored_and_rows

    check_figures(scored, {"ST": rows["ST"], "Q": rows["M"]}, "p")


def test_a_model_that_is_right_as_often_as_it_is_sure_is_calibrated():
    confidence = np.repeat([0.55, 0.95], 100)
    right = np.concatenate([np.arange(100) < 55, np.arange(100) < 95])

    assert calibration_error(confidence, right) == pytest.approx(0)
    assert calibration_error(np.full(100, 0.95), np.ones(100, bool)) == pytest.approx(0.05)
