"""The machine's own limit: a large matrix product, counted in images by the work that one image takes."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.peers import Steps, Workload

SIZE = 1024


def prepare(workload: Workload, precision: str = "float32") -> Steps:
    """Products of as many multiplications and additions as ``count`` mini-batches take."""
    matrix = tf.cast(tf.constant(np.random.default_rng(0).normal(size=(SIZE, SIZE)), tf.float32), precision)
    flops = workload.flops_per_image() * workload.cell.batch_size
    product = tf.function(lambda: tf.linalg.matmul(matrix, matrix))

    def steps(count: int) -> None:
        result = product()
        for _ in range(max(1, round(count * flops / (2 * SIZE**3))) - 1):
            result = product()
        result.numpy()

    return steps
