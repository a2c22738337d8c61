"""The limit of the machine: large matrix products, as many as take the arithmetic of the images."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.peers import Steps, Workload

SIZE = 1024


def prepare_steps(workload: Workload, precision: str = "float32") -> Steps:
    """Returns steps that do as many multiplications and additions as mini-batches would take."""
    matrix = tf.cast(tf.constant(np.random.default_rng(0).normal(size=(SIZE, SIZE)), tf.float32), precision)
    flops = workload.flops_per_image() * workload.cell.batch_size
    product = tf.function(lambda: tf.linalg.matmul(matrix, matrix))

    def steps(count: int) -> None:
        result = product()
        for _ in range(max(1, round(count * flops / (2 * SIZE**3))) - 1):
            result = product()
        result.numpy()

    return steps
