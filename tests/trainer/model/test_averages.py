"""What a step adds to the figures of training, against plain computations."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.model import averages, costs, metrics

LABELS = np.array([1, 0, 2, 2], np.int32)
LOGITS = np.random.default_rng(0).normal(0, 2, (2, 4, 3)).astype(np.float32)


@pytest.fixture
def figures():
    logits = [tf.constant(each) for each in LOGITS]
    entropies = [costs.batch_cross_entropy(tf.constant(LABELS), each) for each in logits]
    return averages.step_figures(tf.constant(LABELS), logits, entropies, [tf.constant(0.5), tf.constant(0.25)])


def test_a_step_counts_errors_and_means_of_the_members_and_the_ensemble(figures):
    for row, logits, decay in zip(figures.numpy(), (*LOGITS, LOGITS.mean(0)), (0.5, 0.25, 0), strict=True):
        assert row[0] == 4 * metrics.error_rate(LABELS, logits)
        assert row[1] == pytest.approx(metrics.cross_entropy(LABELS, logits), rel=1e-6)
        assert row[2] == decay


def test_sums_add_up(figures):
    sums = averages.add_step(tf.zeros_like(figures), figures, 4, fading=False)
    np.testing.assert_array_equal(averages.add_step(sums, figures, 4, fading=False), 2 * figures.numpy())


def test_a_fading_average_forgets_five_per_cent_a_step_and_counts_shares(figures):
    sums = tf.zeros_like(figures)
    for _ in range(3):
        sums = averages.add_step(sums, figures, 4, fading=True)
    expected = (1 - 0.95**3) * figures.numpy() / [4, 1, 1]
    np.testing.assert_allclose(sums, expected, rtol=1e-12)
