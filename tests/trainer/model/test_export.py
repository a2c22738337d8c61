"""Trained members as Keras models: the same function as the network, in a file that loads in safe mode."""

import io
import json
import tempfile
import zipfile

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from experiment.errors import InvalidInput
from experiment.members import MEMBERS
from trainer.model import export
from trainer.model.networks import Network
from trainer.model.recipe import RECIPES


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


def test_a_network_of_the_program_s_recipe_is_exported_as_it_is():
    network = Network(MEMBERS["ST"], 1, "plain", RECIPES["program"])
    rng = np.random.default_rng(2)
    theta, moments = network.initial(rng), network.initial_moments()
    images = rng.integers(0, 256, (4, 8, 8, 1)).astype(np.float32)
    ours, _ = network.forward(
        tf.constant(theta), tf.constant(moments), tf.constant(images), training=False, dtype=tf.float32
    )
    model = export.to_keras(network, (8, 8, 1), network.arrays(theta, moments))
    np.testing.assert_allclose(model(images, training=False), ours, rtol=1e-3, atol=1e-3 * np.abs(ours).max())


def test_the_arrays_of_a_file_are_those_that_it_was_made_of(trained_like):
    network, shape, theta, moments, _ = trained_like
    arrays = network.arrays(theta, moments)
    again = export.read_arrays(network, export.to_bytes(export.to_keras(network, shape, arrays)))

    assert again.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)


def test_the_same_weights_are_the_same_bytes_at_any_hour(trained_like):
    network, shape, theta, moments, _ = trained_like
    first, second = (export.to_bytes(export.to_keras(network, shape, network.arrays(theta, moments))) for _ in "ab")

    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert json.loads(file.read("metadata.json"))["date_saved"] == export.NO_DATE


@pytest.fixture
def other_defaults():
    """Keras set as another program of the process might have set it."""
    before = keras.config.image_data_format(), keras.config.floatx(), keras.config.epsilon()
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float16")
    keras.config.set_epsilon(0.5)
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_image_data_format(before[0])
    keras.config.set_floatx(before[1])
    keras.config.set_epsilon(before[2])
    keras.config.set_dtype_policy("float32")


def saved(network, shape, theta, moments):
    """(configuration, weights) of the exported file; only Keras' version and the date are left out."""
    data = export.to_bytes(export.to_keras(network, shape, network.arrays(theta, moments)))
    with zipfile.ZipFile(io.BytesIO(data)) as file, h5py.File(io.BytesIO(file.read("model.weights.h5"))) as weights:
        values = {}
        weights.visititems(
            lambda name, item: values.update({name: item[()].tobytes()} if hasattr(item, "dtype") else {})
        )
        return json.loads(file.read("config.json")), values


def test_what_a_program_has_set_of_keras_changes_nothing(trained_like, request):
    network, shape, theta, moments, _ = trained_like
    expected = saved(network, shape, theta, moments)
    request.getfixturevalue("other_defaults")

    assert saved(network, shape, theta, moments) == expected


def test_a_rehearsal_finds_that_there_is_no_temporary_folder(monkeypatch, tmp_path):
    export.rehearse_export.cache_clear()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(InvalidInput, match=r"model\.keras cannot be written .*; set TMPDIR to one"):
        export.rehearse_export()
    monkeypatch.undo()
    export.rehearse_export()
