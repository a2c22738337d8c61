"""The networks: exact sizes, both heads, any B, R, F, and the same function as the exported Keras model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from experiment.cell import MEMBERS, Member
from trainer.model import export
from trainer.model.architecture import residual_blocks
from trainer.model.networks import Network


@pytest.mark.parametrize(
    ("member", "head", "count"),
    [("ST", "wide", 47_098), ("M", "wide", 283_450), ("ST", "plain", 44_730), ("M", "plain", 274_618)],
)
def test_parameter_counts_are_the_papers_to_the_unit(member, head, count):
    assert Network(MEMBERS[member], 1, head).size == count


@pytest.mark.parametrize(("member", "convolutions", "width"), [("ST", 12, 64), ("M", 18, 128)])
def test_the_wide_head_has_the_papers_convolutions_and_penultimate_width(member, convolutions, width):
    network = Network(MEMBERS[member], 1, "wide")
    main_path = [x for x in network.layers if x.kind == "conv" and not x.name.endswith("shortcut")]
    assert len(main_path) == convolutions
    assert network.layers[-1].channels == (width, 10)


def test_biases_stand_where_the_paper_has_them():
    biased = {x.name for x in Network(MEMBERS["M"], 1, "wide").layers if x.kind == "conv" and x.bias}
    expected = {"first"}
    for name, _, shortcut in residual_blocks(MEMBERS["M"]):
        expected.add(f"{name}/shortcut" if shortcut else f"{name}/conv2")
    assert biased == expected


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


SHAPES = [
    (Member(name="A", bricks=1, blocks=1, filters=3), (5, 7, 2), "plain"),
    (Member(name="B", bricks=2, blocks=2, filters=4), (6, 6, 1), "wide"),
    (Member(name="C", bricks=3, blocks=1, filters=8), (8, 8, 3), "wide"),
]


@pytest.fixture(params=SHAPES, ids=lambda s: s[0].name)
def trained_like(request):
    """A network with random parameters and moments, and images."""
    member, shape, head = request.param
    rng = np.random.default_rng(1)
    network = Network(member, shape[2], head)
    theta = network.initial(rng) + rng.normal(0, 0.05, network.size).astype(np.float32)
    moments = np.abs(network.initial_moments() + rng.normal(0, 0.3, network.moments_size).astype(np.float32))
    images = rng.integers(0, 256, (4, *shape)).astype(np.float32)
    return network, shape, theta, moments, images


def test_the_exported_keras_model_computes_the_same_logits(trained_like, tmp_path):
    network, shape, theta, moments, images = trained_like
    ours, _ = network.forward(
        tf.constant(theta), tf.constant(moments), tf.constant(images), training=False, dtype=tf.float32
    )
    path = tmp_path / "m.keras"
    path.write_bytes(export.to_bytes(export.to_keras(network, shape, network.arrays(theta, moments))))
    loaded = keras.saving.load_model(path, safe_mode=True)
    assert loaded.count_params() == network.size + network.moments_size
    np.testing.assert_allclose(loaded(images, training=False), ours, rtol=1e-3, atol=1e-3 * np.abs(ours).max())


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
