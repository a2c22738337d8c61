"""Training of one cell, from its first step or a snapshot to its last figures. Knows no store."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from experiment.cell import Cell
from experiment.errors import Diverged, refuse
from trainer.model import device, metrics, schedule
from trainer.model.ensemble import Arrays
from trainer.model.inputs import Examples
from trainer.model.program import EVALUATION_BATCH, compiled_program
from trainer.model.recipe import RECIPES
from trainer.model.signature import cell_arithmetic, program_signature
from trainer.model.types import Dataset, Figures, OnEpochEnd, Pace, Rates, Result, Snapshot, Watch

SECONDS_PER_CALL = 0.5  # of the device: short enough to stop soon, long enough for the calls to cost nothing


def steps_per_epoch(cell: Cell, examples: int) -> int:
    """Returns the number of mini-batches in an epoch; the last, short one is left out unless the batches are fixed.

    Raises:
        InvalidInput: the data set is smaller than one mini-batch.
    """
    if examples < cell.batch_size:
        allowed = f"at most the {examples} training examples"
        raise refuse(f"batch_size of {cell.id}", cell.batch_size, allowed, "correct the grid")
    return -(-examples // cell.batch_size) if RECIPES[cell.recipe].fixed_batches else examples // cell.batch_size


def train_cell(
    cell: Cell,
    data: Dataset,
    *,
    watch: Watch,
    on_epoch_end: OnEpochEnd = lambda *_: None,
    snapshot: Snapshot | None = None,
    teacher: Mapping[str, Arrays] | None = None,
    jit: bool = False,
) -> Result:
    """Trains the cell, from ``snapshot`` on if there is one, in the arithmetic in which it was begun.

    Args:
        watch: called after every call of the device with the pace and a function that takes a snapshot; it may raise
            to stop the training.
        on_epoch_end: called with each epoch that this call finishes, counted from 1, and its figures.
        teacher: by member's name, parameters and moments of the cell's teacher; a snapshot holds them, too.
        jit: compile with XLA.

    Raises:
        Diverged: a cost or, at an epoch's end, a logit became non-finite; epoch and step are named.
    """
    training = _Training(cell, data, watch, on_epoch_end, cell_arithmetic(cell, snapshot), jit=jit)
    training.begin(snapshot, teacher)
    return training.run()


class _Training:
    """The state of one training and its two loops, over epochs and over calls of the device."""

    def __init__(
        self, cell: Cell, data: Dataset, watch: Watch, on_epoch_end: OnEpochEnd, arithmetic: str, *, jit: bool
    ) -> None:
        data, *self._validation = data.hold_out(cell.validation_examples)
        pool = data.x_train[cell.train_examples :] if cell.unlabelled == "rest" else data.x_train[:0]
        data = data.first(cell.train_examples, cell.test_examples)
        self._x_test, self._labels = data.x_test, data.y_test
        self._cell, self._watch, self._on_epoch_end = cell, watch, on_epoch_end
        self._data = Examples(
            images=device.place_on_device(data.x_train),
            labels=tf.constant(data.y_train.astype(np.int32)),
            pool=device.place_on_device(pool),
        )
        self._recipe, self._examples = RECIPES[cell.recipe], len(data.y_train)
        self._steps = steps_per_epoch(cell, self._examples)
        self._arithmetic = arithmetic
        self._program = compiled_program(program_signature(cell, arithmetic), jit=jit)
        self._step, self._figures, self._seconds = 0, list[Figures](), (0.0, 0.0)
        self._calls, self._span, self._speed = 0, 1, 0.0  # images per second of the last call

    def begin(self, snapshot: Snapshot | None, teacher: Mapping[str, Arrays] | None) -> None:
        """Takes the state of the snapshot, or that before the first step."""
        if snapshot is None:
            self._program.begin(self._cell.seed, teacher)
        else:
            self._program.state = snapshot.arrays
            self._step, self._figures, self._seconds = snapshot.step, list(snapshot.figures), snapshot.seconds

    def run(self) -> Result:
        logits = np.empty(0)
        for epoch in range(len(self._figures), self._cell.epochs):
            rates = self._rates(epoch)
            self._train_epoch(epoch, rates)
            logits = self._evaluate(self._x_test)
            self._figures.append(self._epoch_figures(rates.learning_rate, logits))
            self._on_epoch_end(epoch + 1, self._figures[-1])
            self._seconds = (0.0, 0.0)
        return Result(
            arithmetic=self._arithmetic,
            figures=self._figures,
            examples=self._examples,
            labels=self._labels,
            logits=logits,
            arrays=self._program.arrays(),
        )

    def _rates(self, epoch: int) -> Rates:
        cell = self._cell
        return Rates(
            learning_rate=schedule.learning_rate(cell.learning_rate, epoch + self._recipe.first_epoch, cell.epochs),
            alpha=schedule.collaboration_weight(cell.alpha, cell.alpha_plan, epoch, cell.epochs),
            weight_decay=cell.weight_decay,
        )

    def _train_epoch(self, epoch: int, rates: Rates) -> None:
        cell, before = self._cell, epoch * self._steps
        fixed = self._recipe.fixed_batches
        if cell.stale_epochs and epoch % cell.stale_epochs == 0 and self._step == before:
            self._program.renew_peers()
        for batches in schedule.epoch_batches(cell.seed, epoch, self._examples, cell.batch_size, fixed=fixed):
            order = tf.constant(batches)
            while (done := self._step - before) < len(batches):
                last = min(done + self._span, len(batches))
                started = time.perf_counter()
                self._program.train(self._data, order, (done, last), seed=cell.seed, steps_before=before, rates=rates)
                self._refuse_divergence(epoch)
                self._step = before + last
                self._count_time((last - done) * batches.shape[1], time.perf_counter() - started)
                self._tell_pace()
            before += len(batches)

    def _refuse_divergence(self, epoch: int) -> None:
        if (bad := self._program.bad_step) >= 0:  # reading it waits for the device
            raise self._diverged("cost", epoch + 1, f", step {bad}")

    def _diverged(self, what: str, epoch: int, where: str = "") -> Diverged:
        given = f"{self._cell.id} diverged: non-finite {what} in epoch {epoch}{where}"
        return Diverged(f"{given}; allowed: finite {what}s; lower the learning rate or alpha")

    def _count_time(self, images: int, seconds: float) -> None:
        self._seconds = (self._seconds[0] + seconds, self._seconds[1])
        self._calls += 1
        if self._calls == 1:
            return  # most of the first call is tracing and compiling
        self._speed = images / seconds
        self._span = max(1, int(self._speed * SECONDS_PER_CALL / self._cell.batch_size))

    def _tell_pace(self) -> None:
        total = self._steps * self._cell.epochs
        left = (total - self._step) * self._cell.batch_size / self._speed if self._speed else 0.0
        done = len(self._figures)
        pace = Pace(step=self._step, steps=total, epoch=done, images_per_second=self._speed, seconds_left=left)
        self._watch(pace, self._snapshot)

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            step=self._step,
            arithmetic=self._arithmetic,
            arrays=self._program.state,
            figures=list(self._figures),
            seconds=self._seconds,
        )

    def _evaluate(self, images: np.ndarray) -> np.ndarray:
        """Returns the members' logits of images, (members, n, classes)."""
        batches = [np.zeros((len(self._cell.members), 0, self._cell.info.classes), np.float32)]
        for start in range(0, len(images), EVALUATION_BATCH):
            started = time.perf_counter()
            batch = images[start : start + EVALUATION_BATCH]
            missing = EVALUATION_BATCH - len(batch)  # padded and cut again: another shape would compile again
            padded = np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), np.uint8)])
            batches.append(self._program.logits(tf.constant(padded))[:, : len(batch)])
            self._seconds = (self._seconds[0], self._seconds[1] + time.perf_counter() - started)
            self._tell_pace()
        logits = np.concatenate(batches, axis=1)
        if not np.isfinite(logits).all():
            raise self._diverged("logit", len(self._figures) + 1)
        return logits

    def _epoch_figures(self, rate: float, logits: np.ndarray) -> Figures:
        examples = min(self._steps * self._cell.batch_size, self._examples)
        counts = (1, 1) if self._recipe.fading_figures else (examples, self._steps)
        train = metrics.train_figures(self._program.take_sums(), *counts)
        test = metrics.test_figures(self._labels, logits, self._program.decay(self._cell.weight_decay))
        times: dict[str, Any] = {
            "learning_rate": rate,
            "seconds": sum(self._seconds),
            "images_per_second": examples / self._seconds[0],
        }
        images, labels = self._validation
        validation = metrics.validation_figures(labels, self._evaluate(images))
        return [{**a, **b, **c, **times} for a, b, c in zip(train, test, validation, strict=True)]
