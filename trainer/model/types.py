"""What training takes and gives: data sets, snapshots, paces and results, as plain values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from experiment.errors import refuse

ALIGNMENT = 64  # bytes: TensorFlow takes an array as it lies in memory if its address is a multiple of this
Figures = list[dict[str, float]]  # one epoch: per model the epoch columns


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """A data set, read-only: images (N, H, W, C) uint8 and labels (N,) uint8, in the order of the fixed split.

    Attributes:
        sha256: of the prepared file, for the provenance of results.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    sha256: str

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
    """All that going on takes.

    Attributes:
        step: steps done.
        arithmetic: of the convolutions since the first step.
        arrays: the program's state.
        figures: of the epochs finished.
        seconds: (training, test) spent in the epoch under way.
    """

    step: int
    arithmetic: str
    arrays: dict[str, np.ndarray]
    figures: list[Figures] = field(default_factory=list)
    seconds: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a trained cell yields.

    Attributes:
        arithmetic: of the convolutions.
        figures: per epoch, per model, the epoch columns.
        examples: training examples of the data set as used.
        labels: (n,) of the test set.
        logits: (members, n, classes) float32 of the test set after the last epoch.
        arrays: per member's name, every parameter and moment by name.
    """

    arithmetic: str
    figures: list[Figures]
    examples: int
    labels: np.ndarray
    logits: np.ndarray
    arrays: dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How far and how fast: what a watcher is shown."""

    step: int
    steps: int
    epoch: int
    images_per_second: float
    seconds_left: float


Watch = Callable[[Pace, Callable[[], Snapshot]], None]
Closed = Callable[[int, Figures], None]  # is given an epoch, from 1, when its figures are known


def epoch_columns(figures: Sequence[Figures], models: Sequence[str]) -> dict[str, list[Any]]:
    """The epoch columns of ``epochs.parquet``, one row per (epoch, model)."""
    rows = [
        {"model": model, "epoch": epoch, **row}
        for epoch, per_model in enumerate(figures, start=1)
        for model, row in zip(models, per_model, strict=True)
    ]
    return {name: [row[name] for row in rows] for name in rows[0]}
