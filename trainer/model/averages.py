"""The sums behind the figures of training, to which every step adds its own. ``metrics.train_figures`` divides them."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from trainer.model.costs import batch_cross_entropy

FADING = 0.95  # of a running average, what a step leaves of the steps before


def step_figures(
    labels: tf.Tensor, logits: Sequence[tf.Tensor], entropies: Sequence[tf.Tensor], decays: Sequence[tf.Tensor]
) -> tf.Tensor:
    """Returns the figures of a step, (members + 1, 3) float64; the last row is the ensemble's.

    A row holds the number of wrong predictions, the batch's mean cross-entropy with its labels and the weight decay.

    Args:
        labels: (batch,) int32.
        logits: of each member, (batch, classes).
        entropies: of each member.
        decays: of each member.
    """
    ensemble = tf.add_n(logits) / len(logits)
    wrong = [
        tf.math.count_nonzero(tf.argmax(each, -1, tf.int32) != labels, dtype=tf.float32) for each in (*logits, ensemble)
    ]
    entropies = [*entropies, batch_cross_entropy(labels, ensemble)]
    return tf.cast(tf.stack([tf.stack(wrong), tf.stack(entropies), tf.stack([*decays, 0.0])], axis=-1), tf.float64)


def add_step(sums: tf.Tensor, figures: tf.Tensor, batch: int, *, fading: bool) -> tf.Tensor:
    """Returns the sums with a step's figures.

    Args:
        batch: number of examples in the step.
        fading: the sums are running averages that begin at zero and forget, of the share of wrong predictions too.
    """
    if not fading:
        return sums + figures
    return FADING * sums + (1 - FADING) * figures / tf.constant([batch, 1, 1], tf.float64)
