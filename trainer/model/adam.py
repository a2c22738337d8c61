"""Adam (Kingma & Ba 2015) with TensorFlow 1's defaults and its form of epsilon: one fused operation over all parameters."""

from __future__ import annotations

import tensorflow as tf

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def update_parameters(
    theta: tf.Variable, moments: tuple[tf.Variable, tf.Variable], gradient: tf.Tensor, step: tf.Tensor, rate: tf.Tensor
) -> None:
    """Moves the parameters, (size,), and their first and second moments by one step.

    Args:
        step: int64 scalar, counted from 1 over the whole training.
        rate: the learning rate.
    """
    power = tf.cast(step, tf.float32)
    tf.raw_ops.ResourceApplyAdam(
        var=theta.handle,
        m=moments[0].handle,
        v=moments[1].handle,
        grad=gradient,
        lr=rate,
        beta1=BETA1,
        beta2=BETA2,
        beta1_power=tf.pow(BETA1, power),
        beta2_power=tf.pow(BETA2, power),
        epsilon=EPSILON,
    )
