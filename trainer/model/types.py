"""What training takes and gives: data sets, snapshots, paces and results, as plain values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from experiment.errors import refuse

ALIGNMENT = 64  # bytes: TensorFlow takes an array as it lies in memory if its address is a multiple of this
STATE = ("theta", "adam_m", "adam_v", "moments", "sums", "bad_step")  # the arrays of every program's state
PEERS = ("peers_theta", "peers_moments")  # and of one whose members are compared with stale peers
Figures = list[dict[str, float]]  # one epoch: per model the epoch columns


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """A data set, read-only, in the order of the fixed split: images (N, H, W, C) uint8 and labels (N,) uint8 or uint16.

    Attributes:
        sha256: of the prepared file, for the provenance of results.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    sha256: str

    def hold_out(self, count: int) -> tuple[Dataset, np.ndarray, np.ndarray]:
        """Returns the data set without the last ``count`` training examples, and the images and labels of these.

        Raises:
            InvalidInput: none would be left to train on.
        """
        left = len(self.y_train) - count
        if not 0 <= count < len(self.y_train):
            allowed = f"0 to {len(self.y_train) - 1}"
            raise refuse(f"validation_examples of {self.name}", count, allowed, "correct it in the grid")
        kept = dataclasses.replace(self, x_train=self.x_train[:left], y_train=self.y_train[:left])
        return kept, self.x_train[left:], self.y_train[left:]

    def first(self, train: int = 0, test: int = 0) -> Dataset:
        """Returns the first ``train`` and ``test`` examples of the fixed split; 0 means all.

        Raises:
            InvalidInput: there are fewer.
        """
        for what, asked, there in (("train", train, len(self.y_train)), ("test", test, len(self.y_test))):
            if not 0 <= asked <= there:
                raise refuse(f"{what}_examples of {self.name}", asked, f"0 (all) to {there}", "correct it in the grid")
        train, test = train or len(self.y_train), test or len(self.y_test)
        parts = {"x_train": train, "y_train": train, "x_test": test, "y_test": test}
        return dataclasses.replace(self, **{part: getattr(self, part)[:count] for part, count in parts.items()})


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything that is needed to go on with a training.

    Attributes:
        step: number of steps done.
        arithmetic: the arithmetic of the convolutions since the first step.
        arrays: the program's state.
        figures: the figures of the finished epochs.
        seconds: (training, test) time spent in the current epoch.
        origins: what its steps were done on, as provenance names it; the training itself does not know.
    """

    step: int
    arithmetic: str
    arrays: dict[str, np.ndarray]
    figures: list[Figures] = field(default_factory=list)
    seconds: tuple[float, float] = (0.0, 0.0)
    origins: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a trained cell yields.

    Attributes:
        arithmetic: the arithmetic of the convolutions.
        figures: per epoch and model, the epoch columns.
        examples: number of training examples used.
        labels: the labels of the test set, (n,).
        logits: the logits of the test set after the last epoch, (members, n, classes) float32.
        arrays: by member's name, every parameter and moment by name.
    """

    arithmetic: str
    figures: list[Figures]
    examples: int
    labels: np.ndarray
    logits: np.ndarray
    arrays: dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How far a training is and how fast it goes, as a watcher is told."""

    step: int
    steps: int
    epoch: int
    images_per_second: float
    seconds_left: float


class Rates(NamedTuple):
    """The numbers in which cells of one program may differ."""

    learning_rate: float
    alpha: float
    weight_decay: float


Watch = Callable[[Pace, Callable[[], Snapshot]], None]
OnEpochEnd = Callable[[int, Figures], None]  # called with each finished epoch, from 1, and its figures


def figure_columns(figures: Sequence[Figures], models: Sequence[str]) -> dict[str, list[Any]]:
    """Returns the epoch columns of ``epochs.parquet``, one row per (epoch, model)."""
    rows = [
        {"model": model, "epoch": epoch, **row}
        for epoch, per_model in enumerate(figures, start=1)
        for model, row in zip(models, per_model, strict=True)
    ]
    return {name: [row[name] for row in rows] for name in rows[0]}
