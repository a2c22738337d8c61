"""Members in other formats compute what the Keras model computes."""

import numpy as np
import pytest

from tests.trainer.conftest import SMALL
from trainer.model import export, formats
from trainer.model.networks import Network

SHAPE = (8, 8, 1)


@pytest.fixture(scope="module")
def member():
    """A Keras model whose batch normalisation has seen something."""
    network, rng = Network(SMALL[0], 1, "wide"), np.random.default_rng(0)
    moments = network.initial_moments() + rng.uniform(0, 0.5, network.initial_moments().shape).astype(np.float32)
    return export.to_keras(network, SHAPE, network.arrays(network.initial(rng), moments))


@pytest.fixture(scope="module")
def images():
    """More than a batch, of which the last is not full."""
    return np.random.default_rng(1).integers(0, 256, (formats.BATCH + 7, *SHAPE)).astype(np.uint8)


def test_a_keras_file_is_read_back(member, images):
    again = formats.load_member(export.to_bytes(member))

    np.testing.assert_array_equal(*(formats.compute_logits(formats.run_keras(m), images) for m in (member, again)))


@pytest.mark.parametrize(
    ("make", "run"),
    [(formats.to_litert, formats.run_litert), (formats.to_onnx, formats.run_onnx)],
    ids=["litert", "onnx"],
)
def test_a_file_computes_the_same_logits_in_batches_of_any_size(member, images, make, run):
    call = run(make(member))

    np.testing.assert_allclose(
        formats.compute_logits(call, images), member(images.astype(np.float32)), rtol=1e-4, atol=1e-4
    )


def test_savedmodel_computes_the_same_logits_and_says_nothing(member, images, tmp_path, capfd):
    formats.to_savedmodel(member, tmp_path / "made")
    call = formats.run_savedmodel(tmp_path / "made")

    assert capfd.readouterr().out == ""
    np.testing.assert_allclose(
        formats.compute_logits(call, images), member(images.astype(np.float32)), rtol=1e-4, atol=1e-4
    )


def test_int8_is_smaller_and_near(member, images):
    calibration = images[:50].astype(np.float32)
    floats, integers = formats.to_litert(member), formats.to_litert(member, calibration)
    exact, near = (formats.compute_logits(formats.run_litert(data), images) for data in (floats, integers))

    assert len(integers) < len(floats)
    assert 0 < np.abs(near - exact).max() < 0.2 * np.ptp(exact)


def test_speed_is_of_one_image_a_call(images):
    sizes = []

    def call(batch):
        sizes.append(batch.shape)
        return batch.sum(axis=(1, 2))

    assert formats.measure_speed(call, images, seconds=0.01) > 0
    assert set(sizes) == {(1, *SHAPE)}
