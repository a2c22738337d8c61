"""This suite's trainer."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.peers import Steps, Workload
from trainer.model import device, schedule
from trainer.model.inputs import Examples
from trainer.model.program import Program
from trainer.model.signature import program_signature
from trainer.model.types import Rates


def prepare_steps(workload: Workload, precision: str = "float32") -> Steps:
    """Returns the trainer's own compiled steps, called as ``trainer.model.training`` calls them."""
    cell = workload.cell
    program = Program(program_signature(cell, precision), jit=device.prepare_device())
    program.begin(0)
    images = tf.constant(workload.images())
    examples = Examples(images, tf.constant(workload.labels()), images[:0])
    order = tf.constant(schedule.epoch_order(0, 0, len(workload.labels()), cell.batch_size))
    rates = Rates(cell.learning_rate, cell.alpha, cell.weight_decay)

    def steps(count: int) -> None:
        program.train(examples, order, (0, count), seed=0, steps_before=0, rates=rates)
        assert np.isfinite(program.take_sums()).all()  # reading waits for the device

    return steps
