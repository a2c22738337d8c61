"""The figures of an epoch: averages over its training steps, and measures of the logits of the test set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ECE_BINS = 15


def ensemble_logits(logits: np.ndarray) -> np.ndarray:
    """Returns the logits (members, n, classes) and behind them their mean, the ensemble's: (members + 1, n, classes)."""
    return np.concatenate([logits, logits.mean(axis=0, keepdims=True, dtype=np.float32)])


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Returns log-probabilities along the last axis, in float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def error_rate(labels: np.ndarray, logits: np.ndarray) -> float:
    """Returns the share of examples whose largest logit is not the label's. labels (n,), logits (n, classes)."""
    return float(np.mean(logits.argmax(axis=-1) != labels))


def cross_entropy(labels: np.ndarray, logits: np.ndarray) -> float:
    """Returns the mean cross-entropy in nats. labels (n,), logits (n, classes)."""
    return float(-log_softmax(logits)[np.arange(len(labels)), labels].mean())


def calibration_error(labels: np.ndarray, logits: np.ndarray) -> float:
    """Returns the expected calibration error (Guo et al. 2017) over 15 bins of confidence of equal width.

    It is the mean over the bins of |accuracy - confidence|, each weighted by its share of the examples.
    """
    confidence = np.exp(log_softmax(logits).max(axis=-1))
    right = logits.argmax(axis=-1) == labels
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gap = np.bincount(bins, weights=right - confidence, minlength=ECE_BINS)
    return float(np.abs(gap).sum() / len(labels))


def member_agreement(logits: np.ndarray) -> float:
    """Returns the share of examples on which all members predict the same class. logits (members, n, classes)."""
    predictions = logits.argmax(axis=-1)
    return float(np.mean((predictions == predictions[0]).all(axis=0)))


def test_figures(labels: np.ndarray, logits: np.ndarray, decay: Sequence[float]) -> list[dict[str, float]]:
    """Returns the test columns of ``epochs.parquet`` of each model: the members, then the ensemble.

    Args:
        labels: (n,).
        logits: the members', (members, n, classes).
        decay: per member, its weight decay in nats. It is part of the member's cost and not of the ensemble's.
    """
    shared = member_agreement(logits)
    rows = []
    for each, penalty in zip(ensemble_logits(logits), (*decay, 0.0), strict=True):
        entropy = cross_entropy(labels, each)
        rows.append(
            {
                "test_error": error_rate(labels, each),
                "test_cost": entropy + penalty,
                "test_cross_entropy": entropy,
                "test_ece": calibration_error(labels, each),
                "test_agreement": shared,
            }
        )
    return rows


def validation_figures(labels: np.ndarray, logits: np.ndarray) -> list[dict[str, float]]:
    """Returns the validation columns of each model: the members, then the ensemble; none of them without examples.

    Args:
        labels: (n,).
        logits: the members', (members, n, classes).
    """
    return [
        {"validation_error": error_rate(labels, each), "validation_cross_entropy": cross_entropy(labels, each)}
        if len(labels)
        else {}
        for each in ensemble_logits(logits)
    ]


def train_figures(sums: np.ndarray, examples: int, steps: int) -> list[dict[str, float]]:
    """Returns the training columns of ``epochs.parquet`` of each model: averages over the whole epoch.

    Args:
        sums: (members + 1, 3) float64: the number of wrong predictions, then two sums over the steps: of the batch's mean
            cross-entropy, and of the weight decay.
        examples: number of training examples in the epoch; 1 where the first of the sums is a share already.
        steps: number of its mini-batches; 1 where the sums are averages already.
    """
    return [
        {
            "train_error": float(wrong / examples),
            "train_cost": float((entropy + decay) / steps),
            "train_cross_entropy": float(entropy / steps),
        }
        for wrong, entropy, decay in sums
    ]
