"""The networks of an ensemble as two flat variables."""

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer.conftest import SMALL
from trainer.model.ensemble import Ensemble
from trainer.model.networks import Network


@pytest.fixture
def ensemble():
    """Two networks with random parameters and moments."""
    made = Ensemble([Network(m, 1, "plain") for m in SMALL], tf.float32)
    rng = np.random.default_rng(3)
    made.theta.assign(rng.normal(0, 0.1, made.theta.shape))
    made.moments.assign(rng.uniform(0.5, 1.5, made.moments.shape))
    return made


def test_arrays_by_name_are_flattened_to_what_they_were(ensemble):
    theta, moments = ensemble.flatten(ensemble.arrays())

    np.testing.assert_array_equal(theta, ensemble.theta.numpy())
    np.testing.assert_array_equal(moments, ensemble.moments.numpy())


def test_each_network_has_its_own_part_and_its_own_logits(ensemble):
    images = tf.constant(np.random.default_rng(4).integers(0, 256, (5, 8, 8, 1)).astype(np.uint8))
    logits, moments = ensemble.forward(images, training=False)
    parts = np.split(ensemble.moments.numpy(), [ensemble.networks[0].moments_size])

    for network, theta, own, found in zip(ensemble.networks, ensemble.parts(), parts, logits, strict=True):
        alone, _ = network.forward(theta, own, tf.cast(images, tf.float32), training=False, dtype=tf.float32)
        np.testing.assert_array_equal(found, alone)
    np.testing.assert_array_equal(moments, ensemble.moments.numpy())


def test_training_moves_the_moments_that_are_returned_and_changes_nothing(ensemble):
    before = ensemble.moments.numpy()
    images = tf.constant(np.random.default_rng(5).integers(0, 256, (5, 8, 8, 1)).astype(np.uint8))
    _, moved = ensemble.forward(images, training=True)

    assert (moved.numpy() != before).any()
    np.testing.assert_array_equal(ensemble.moments.numpy(), before)
