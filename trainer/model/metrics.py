"""The figures of an epoch: sums gathered in training, and what the logits of the test set say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ECE_BINS = 15


def ensemble_logits(logits: np.ndarray) -> np.ndarray:
    """Members' logits (members, n, classes) with the ensemble's, their mean, behind them: (members + 1, n, classes)."""
    return np.concatenate([logits, logits.mean(axis=0, keepdims=True, dtype=np.float32)])


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities in float64 along the last axis."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def error(labels: np.ndarray, logits: np.ndarray) -> float:
    """Share of examples whose largest logit is not the label's. labels (n,), logits (n, classes)."""
    return float(np.mean(logits.argmax(axis=-1) != labels))


def cross_entropy(labels: np.ndarray, logits: np.ndarray) -> float:
    """Mean cross-entropy in nats. labels (n,), logits (n, classes)."""
    return float(-log_softmax(logits)[np.arange(len(labels)), labels].mean())


def calibration_error(labels: np.ndarray, logits: np.ndarray) -> float:
    """Expected calibration error (Guo et al. 2017): 15 equal bins of confidence, |accuracy - confidence| weighted by share."""
    confidence = np.exp(log_softmax(logits).max(axis=-1))
    right = logits.argmax(axis=-1) == labels
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gap = np.bincount(bins, weights=right - confidence, minlength=ECE_BINS)
    return float(np.abs(gap).sum() / len(labels))


def agreement(logits: np.ndarray) -> float:
    """Share of examples on which all members predict the same class. logits (members, n, classes)."""
    predictions = logits.argmax(axis=-1)
    return float(np.mean((predictions == predictions[0]).all(axis=0)))


def test_figures(labels: np.ndarray, logits: np.ndarray, decay: Sequence[float]) -> list[dict[str, float]]:
    """Per model (members, then the ensemble) the test columns of ``epochs.parquet``.

    Args:
        labels: (n,).
        logits: the members', (members, n, classes).
        decay: each member's weight decay in nats: part of its cost, not of the ensemble's.
    """
    shared = agreement(logits)
    rows = []
    for each, penalty in zip(ensemble_logits(logits), (*decay, 0.0), strict=True):
        entropy = cross_entropy(labels, each)
        rows.append(
            {
                "test_error": error(labels, each),
                "test_cost": entropy + penalty,
                "test_cross_entropy": entropy,
                "test_ece": calibration_error(labels, each),
                "test_agreement": shared,
            }
        )
    return rows


def train_figures(sums: np.ndarray, examples: int, steps: int) -> list[dict[str, float]]:
    """Per model the training columns of ``epochs.parquet``: exact averages over the epoch.

    Args:
        sums: (members + 1, 3) float64: wrong predictions, sum over steps of the batch's mean cross-entropy, of weight decay.
        examples: examples trained on in the epoch.
        steps: its mini-batches.
    """
    return [
        {
            "train_error": float(wrong / examples),
            "train_cost": float((entropy + decay) / steps),
            "train_cross_entropy": float(entropy / steps),
        }
        for wrong, entropy, decay in sums
    ]
