"""``python -m trainer.probe``: counts the visible GPUs that TensorFlow can compute on; its last line of output is the number.

A driver may list GPUs that TensorFlow has no libraries or no kernels for. The launcher asks before it starts a worker for each.
"""

from __future__ import annotations

import sys

from experiment.program import run_program


def count_gpus() -> int:
    """Returns the number of visible GPUs on which TensorFlow has just computed something."""
    import tensorflow as tf

    count = 0
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)  # the memory is the workers'
    for number in range(len(gpus)):
        try:
            with tf.device(f"/GPU:{number}"):
                count += float(tf.reduce_sum(tf.ones(8))) == 8
        except (tf.errors.OpError, RuntimeError) as error:
            print(f"GPU {number}: {error}", file=sys.stderr)
    return count


def main() -> int:
    """Prints the number; returns 0."""
    print(count_gpus(), flush=True)
    return 0


if __name__ == "__main__":
    run_program(main)
