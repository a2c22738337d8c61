"""The networks: initial values, weight decay, batch normalisation and arithmetic."""

import numpy as np
import pytest
import tensorflow as tf

from experiment.members import MEMBERS, Member
from trainer.model.networks import Network
from trainer.model.recipe import RECIPES, Recipe


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
    assert network.decay_mask().sum() == network.size - vectors


@pytest.mark.parametrize(("member", "decayed", "kernels"), [("ST", 25_600, 44_424), ("M", None, None)])
def test_the_program_decays_the_kernels_of_all_bricks_but_the_last(member, decayed, kernels):
    network = Network(MEMBERS[member], 1, "plain", RECIPES["program"])
    mask = network.decay_mask()
    named = [p.name for p in network.parameters if p.is_kernel and p.name.startswith(("brick0", "brick1"))]
    assert mask.sum() == sum(p.size for p in network.parameters if p.name in named)
    total = sum(p.size for p in network.parameters if p.is_kernel)
    if member == "ST":
        assert (mask.sum(), total) == (decayed, kernels)
    else:
        assert mask.sum() / total == pytest.approx(0.46, abs=0.005)


def test_the_biased_variance_is_the_one_over_n(trained_like):
    network, shape, theta, moments, images = trained_like
    biased = Network(network.member, network.channels, network.head, Recipe(biased_variance=True))
    arguments = tf.constant(theta), tf.constant(moments), tf.constant(images)
    usual, unbiased = network.forward(*arguments, training=True, dtype=tf.float32)
    logits, moved = biased.forward(*arguments, training=True, dtype=tf.float32)
    np.testing.assert_array_equal(logits, usual)
    before, after = network.arrays(theta, moments), network.arrays(theta, moved.numpy())
    flat = images.reshape(-1, shape[2])
    expected = 0.99 * before["input/variance"] + 0.01 * flat.var(0)
    np.testing.assert_allclose(after["input/variance"], expected, rtol=1e-5)
    other = network.arrays(theta, unbiased.numpy())
    for name in after:
        if name.endswith("variance"):
            assert (after[name] < other[name]).all()
        else:
            np.testing.assert_array_equal(after[name], other[name])


def test_a_raw_down_sampling_reads_its_input_past_the_first_normalisation():
    raw = Network(MEMBERS["ST"], 1, "plain", Recipe(raw_downsampling=True))
    usual = Network(MEMBERS["ST"], 1, "plain")
    lacking = {p.name for p in usual.parameters} - {p.name for p in raw.parameters}
    assert lacking == {"brick0/down/norm1/bias", "brick1/down/norm1/bias"}


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
