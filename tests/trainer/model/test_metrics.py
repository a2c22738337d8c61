"""The figures of an epoch against plain computations."""

import numpy as np
import pytest

from trainer.model import metrics

LABELS = np.array([0, 1, 1, 2])
LOGITS = np.array(
    [[[4, 0, 0], [0, 3, 0], [2, 0, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 2, 0]]], np.float32
)


def test_error_is_the_share_of_wrong_predictions():
    assert [metrics.error_rate(LABELS, each) for each in LOGITS] == [0.25, 0.25]


def test_the_ensemble_is_the_mean_of_the_logits():
    np.testing.assert_array_equal(metrics.ensemble_logits(LOGITS)[2], LOGITS.mean(axis=0))


def test_cross_entropy_is_the_mean_of_minus_log_softmax():
    p = np.exp(LOGITS[0]) / np.exp(LOGITS[0]).sum(-1, keepdims=True)
    assert metrics.cross_entropy(LABELS, LOGITS[0]) == pytest.approx(-np.log(p[range(4), LABELS]).mean())


def test_large_logits_do_not_overflow():
    assert metrics.cross_entropy(np.array([1]), np.array([[1e30, 0.0]])) == pytest.approx(1e30)


def test_agreement_is_the_share_on_which_all_members_agree():
    assert metrics.member_agreement(LOGITS) == 0.5
    assert metrics.member_agreement(LOGITS[:1]) == 1


def test_calibration_error_of_one_bin_is_its_gap():
    logits = np.log(np.array([[0.9, 0.1]] * 10))  # confidence 0.9 throughout, accuracy 0.5
    labels = np.array([0, 1] * 5)
    assert metrics.calibration_error(labels, logits) == pytest.approx(0.4)


def test_calibration_error_equals_a_plain_loop_over_bins():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(0, 2, (500, 10)), rng.integers(0, 10, 500)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    confidence, right = p.max(-1), p.argmax(-1) == labels
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence >= low) & (confidence < low + 1 / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert metrics.calibration_error(labels, logits) == pytest.approx(expected)


def test_a_members_cost_carries_weight_decay_and_the_ensembles_does_not():
    rows = metrics.test_figures(LABELS, LOGITS, [0.5, 0.25])
    assert [r["test_cost"] - r["test_cross_entropy"] for r in rows] == pytest.approx([0.5, 0.25, 0])


def test_train_figures_are_exact_averages():
    rows = metrics.train_figures(np.array([[8, 2.0, 1.0], [4, 1.0, 0.0]]), examples=64, steps=4)
    assert rows[0] == {"train_error": 0.125, "train_cost": 0.75, "train_cross_entropy": 0.5}
    assert rows[1] == {"train_error": 0.0625, "train_cost": 0.25, "train_cross_entropy": 0.25}


def test_validation_figures_are_those_of_each_model_and_none_without_examples():
    rows = metrics.validation_figures(LABELS, LOGITS)
    assert len(rows) == 3
    assert rows[2]["validation_error"] == metrics.error_rate(LABELS, LOGITS.mean(0))
    assert rows[0]["validation_cross_entropy"] == metrics.cross_entropy(LABELS, LOGITS[0])
    assert metrics.validation_figures(LABELS[:0], LOGITS[:, :0]) == [{}, {}, {}]
