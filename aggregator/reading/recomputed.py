"""The figures of a cell's last epoch, computed anew from its predictions: its rows must say the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiment.errors import InvalidInput
from experiment.members import ENSEMBLE

BINS = 15  # as the trainer's test_ece
FIGURES = {
    "test_error": "a test error",
    "test_cross_entropy": "a cross-entropy",
    "test_ece": "a calibration error",
    "test_agreement": "an agreement",
}
_RELATIVE, _ABSOLUTE = 1e-5, 1e-6  # the trainer averages the same float32 logits, in another order


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What one model's logits say of each test example.

    Attributes:
        predicted: the class of the largest logit.
        wrong: whether it is not the label.
        confidence: the probability given to it.
        surprise: minus the logarithm of the probability given to the label, in nats.
    """

    predicted: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    surprise: NDArray[np.float64]


def score_logits(label: NDArray[np.int64], logits: NDArray[np.float64]) -> Scored:
    """Scores the logits of one model. label (n,), logits (n, classes)."""
    examples = np.arange(len(label))
    predicted = logits.argmax(axis=1)
    shifted = logits - logits[examples, predicted][:, None]
    total = np.exp(shifted).sum(axis=1)
    return Scored(
        predicted=predicted,
        wrong=predicted != label,
        confidence=1 / total,  # of the largest logit: exp(0) over the sum
        surprise=np.log(total) - shifted[examples, label],
    )


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Returns the expected calibration error (Guo et al. 2017), in bins of equal width."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(place, confidence - right, BINS)).sum()) / max(len(confidence), 1)


def check_figures(scored: Mapping[str, Scored], rows: Mapping[str, Mapping[str, float]], source: str) -> None:
    """Compares figures with those that the last epoch has; a model without a row there is named elsewhere.

    Args:
        scored: by model, the members and the ensemble.
        rows: by model, the last epoch's figures.
        source: the name of the predictions in errors.

    Raises:
        InvalidInput: the last epoch says something else.
    """
    agreement = _agreement([s.predicted for model, s in scored.items() if model != ENSEMBLE])
    for model, row in rows.items():
        if model not in scored:
            continue
        own = scored[model]
        found = {
            "test_error": float(own.wrong.mean()),
            "test_cross_entropy": float(own.surprise.mean()),
            "test_ece": calibration_error(own.confidence, ~own.wrong),
            "test_agreement": agreement,
        }
        for name, words in FIGURES.items():
            if not math.isclose(found[name], row[name], rel_tol=_RELATIVE, abs_tol=_ABSOLUTE):
                given = f"{source} has {words} of {found[name]:.6g} for {model}"
                raise InvalidInput(f"{given}, and the last epoch of its commit {row[name]:.6g}")


def _agreement(predicted: Sequence[NDArray[np.int64]]) -> float:
    return float(np.mean(np.all([p == predicted[0] for p in predicted], axis=0)))
