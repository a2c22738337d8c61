"""This suite's trainer."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.peers import Steps, Workload
from trainer.model import device, schedule
from trainer.model.program import Program, signature


def prepare(workload: Workload, precision: str = "float32") -> Steps:
    """The trainer's own compiled steps, as ``trainer.model.training`` calls them."""
    cell = workload.cell
    program = Program(signature(cell, precision), jit=device.prepare())
    program.begin(0)
    images, labels = tf.constant(workload.images()), tf.constant(workload.labels())
    order = tf.constant(schedule.epoch_order(0, 0, len(workload.labels()), cell.batch_size))
    rates = {"learning_rate": cell.learning_rate, "alpha": cell.alpha, "weight_decay": cell.weight_decay}

    def steps(count: int) -> None:
        program.train(images, labels, order, (0, count), steps_before=0, **rates)
        assert np.isfinite(program.take_sums()).all()  # reading waits for the device

    return steps
