"""The optimizer step against Adam as its authors and TensorFlow 1 write it."""

import numpy as np
import tensorflow as tf

from trainer.model import adam


def numpy_adam(theta, gradients, rate):
    """TensorFlow 1's form: epsilon is added to the root of the uncorrected second moment."""
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for step, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * m / (np.sqrt(v) + 1e-8)
    return theta, m, v


def test_three_steps_equal_adam_of_tensorflow_1():
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=5), rng.normal(size=(3, 5))
    theta = tf.Variable(start, dtype=tf.float32)
    moments = (tf.Variable(tf.zeros(5)), tf.Variable(tf.zeros(5)))
    for step, gradient in enumerate(gradients, start=1):
        g = tf.constant(gradient, tf.float32)
        adam.update_parameters(theta, moments, g, tf.constant(step, tf.int64), tf.constant(0.01))

    for got, expected in zip((theta, *moments), numpy_adam(start, gradients, 0.01), strict=True):
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-7)


def test_parameters_without_gradient_stay_where_they_are():
    theta, moments = tf.Variable([1.0, -2.0]), (tf.Variable(tf.zeros(2)), tf.Variable(tf.zeros(2)))
    adam.update_parameters(theta, moments, tf.constant([0.0, 1.0]), tf.constant(1, tf.int64), tf.constant(0.01))

    assert theta.numpy()[0] == 1.0
    assert theta.numpy()[1] < -2.0
