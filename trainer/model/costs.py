"""The collaboration costs of Noel (2017), section 5.2: pure functions of two members' logits, averaged over the batch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import tensorflow as tf

Cost = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def symmetric_cross_entropy(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Mean over the batch of ``-sum_i (p1_i log p2_i + p2_i log p1_i)``, p = softmax(logits).

    Gradients flow through both arguments of both terms.

    Args:
        first: logits, (batch, classes).
        second: logits, (batch, classes).

    Returns:
        a scalar, in nats; for identical arguments twice the entropy.
    """
    terms = tf.nn.softmax(first) * tf.nn.log_softmax(second) + tf.nn.softmax(second) * tf.nn.log_softmax(first)
    return -tf.reduce_mean(tf.reduce_sum(terms, axis=-1))


def squared_distance(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Mean over the batch of ``sum_i (l1_i - l2_i)^2`` of logits, (batch, classes) each."""
    return tf.reduce_mean(tf.reduce_sum(tf.math.squared_difference(first, second), axis=-1))


def absolute_distance(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Mean over the batch of ``sum_i |l1_i - l2_i|`` of logits, (batch, classes) each."""
    return tf.reduce_mean(tf.reduce_sum(tf.abs(first - second), axis=-1))


METHODS: dict[str, Cost | None] = {
    "single": None,  # the members train side by side
    "ce": symmetric_cross_entropy,
    "l2": squared_distance,
    "l1": absolute_distance,
}


def collaboration(method: str, logits: Sequence[tf.Tensor]) -> tf.Tensor:
    """The collaboration cost of an ensemble: the sum over consecutive pairs (1, 2), (2, 3), ... of members.

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


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy in nats of integer labels (batch,) and logits (batch, classes)."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
