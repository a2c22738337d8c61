"""The networks: initial values, weight decay, batch normalisation and arithmetic."""

import numpy as np
import pytest
import tensorflow as tf

from experiment.cell import MEMBERS, Member
from trainer.model.networks import Network


def test_initial_kernels_have_the_variance_of_he_and_biases_are_zero():
    network = Network(Member(name="X", bricks=2, blocks=1, filters=64), 3, "wide")
    theta = network.initial(np.random.default_rng(0))
    arrays = network.arrays(theta, network.initial_moments())
    kernel = arrays["brick0/block0/conv1/kernel"]
    assert kernel.std() == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.02)
    assert np.abs(kernel).max() <= 2 * np.sqrt(2 / (9 * 64)) / 0.8796 * 1.0001
    assert not any(arrays[n].any() for n in arrays if n.endswith("bias"))


def test_weight_decay_covers_kernels_and_nothing_else():
    network = Network(MEMBERS["ST"], 1, "wide")
    vectors = sum(p.size for p in network.parameters if len(p.shape) == 1)
    assert network.kernel_mask().sum() == network.size - vectors


def test_training_normalises_by_the_batch_and_moves_the_moments_by_a_hundredth(trained_like):
    network, shape, theta, moments, images = trained_like
    _, moved = network.forward(
        tf.constant(theta), tf.constant(moments), tf.constant(images), training=True, dtype=tf.float32
    )
    before, after = network.arrays(theta, moments), network.arrays(theta, moved.numpy())
    flat = images.reshape(-1, shape[2])
    np.testing.assert_allclose(after["input/mean"], 0.99 * before["input/mean"] + 0.01 * flat.mean(0), rtol=1e-4)
    # The fused operation moves the unbiased variance (n - 1 in the denominator), as TensorFlow 1 did.
    expected = 0.99 * before["input/variance"] + 0.01 * flat.var(0, ddof=1)
    np.testing.assert_allclose(after["input/variance"], expected, rtol=1e-4)


def test_bfloat16_changes_convolutions_but_keeps_logits_float32(trained_like):
    network, _, theta, moments, images = trained_like
    arguments = tf.constant(theta), tf.constant(moments), tf.constant(images)
    full, _ = network.forward(*arguments, training=False, dtype=tf.float32)
    half, _ = network.forward(*arguments, training=False, dtype=tf.bfloat16)
    assert half.dtype == tf.float32
    assert 0 < np.abs(half - full).max() < 0.1 * np.abs(full).max() + 0.1
