"""Trained members as Keras models: the same function as the network, in a file that loads in safe mode."""

import keras
import numpy as np
import tensorflow as tf

from trainer.model import export


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
