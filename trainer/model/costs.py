"""The costs of Noel (2017): collaboration (section 5.2) as pure functions of logits, cross-entropy and weight decay."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import tensorflow as tf

Cost = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def symmetric_cross_entropy(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns the mean over the batch of ``-sum_i (p1_i log p2_i + p2_i log p1_i)``, p = softmax(logits).

    Gradients flow through both arguments of both terms.

    Args:
        first: logits, (batch, classes).
        second: logits, (batch, classes).

    Returns:
        a scalar in nats; twice the entropy where both arguments are the same.
    """
    terms = tf.nn.softmax(first) * tf.nn.log_softmax(second) + tf.nn.softmax(second) * tf.nn.log_softmax(first)
    return -tf.reduce_mean(tf.reduce_sum(terms, axis=-1))


def squared_distance(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns the mean over the batch of ``sum_i (l1_i - l2_i)^2`` of logits, (batch, classes) each."""
    return tf.reduce_mean(tf.reduce_sum(tf.math.squared_difference(first, second), axis=-1))


def absolute_distance(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns the mean over the batch of ``sum_i |l1_i - l2_i|`` of logits, (batch, classes) each."""
    return tf.reduce_mean(tf.reduce_sum(tf.abs(first - second), axis=-1))


METHODS: dict[str, Cost | None] = {
    "single": None,  # the members are trained independently
    "ce": symmetric_cross_entropy,
    "l2": squared_distance,
    "l1": absolute_distance,
}


def collaboration_cost(method: str, logits: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns the collaboration cost of an ensemble: the sum over consecutive pairs (1, 2), (2, 3), ... of members.

    Args:
        method: a key of ``METHODS``.
        logits: one (batch, classes) tensor per member.

    Returns:
        a float32 scalar; 0 for ``single``.
    """
    cost = METHODS[method]
    if cost is None:
        return tf.zeros(())
    return tf.add_n([cost(a, b) for a, b in itertools.pairwise(logits)])


def batch_cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Returns the mean cross-entropy in nats of integer labels (batch,) and logits (batch, classes)."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def weight_decay_cost(theta: tf.Tensor, kernels: tf.Tensor, weight_decay: tf.Tensor | float) -> tf.Tensor:
    """Returns ``weight_decay`` x (sum of squares) / 2 of the parameters (size,) where ``kernels`` (size,) is 1, not 0."""
    return weight_decay * tf.nn.l2_loss(theta * kernels)
