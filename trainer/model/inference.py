"""How many images per second the members of a cell and their ensemble predict, on one thread of a processor.

The process trains on all threads that it was given, and TensorFlow has no switch for one call. A session of its own has: with
``TF_OVERRIDE_GLOBAL_THREADPOOL`` (``trainer.environment``) it owns a pool of one thread, and runs beside the other. It holds
networks of the same shape with initial weights, as constants: speed does not depend on the values, and nothing of the training is
touched. A session is kept for the next cell with the same members.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from experiment.cell import Cell
from experiment.inference import BATCHES, speed_name
from experiment.members import ENSEMBLE
from trainer.model.networks import Network
from trainer.model.signature import cell_networks

SECONDS = 0.3  # of processor time after which no further round of calls begins
ROUNDS = (3, 5)  # at least and at most
CALLS = 8  # one after the other of a batch of one image, whose single call is short
MOST_PARAMETERS = 10_000_000  # as constants of a graph they are copied several times
Call = Callable[[np.ndarray], object]


def measure_speeds(cell: Cell, stopping: Callable[[], bool] = lambda: False) -> dict[str, dict[str, float]]:
    """Returns, by model, the images per second of the fastest call at each batch size; nothing if told to stop meanwhile.

    A second is one of processor time, of all threads of the process together: what others do on the machine does not count,
    and a second thread at work would not make it faster. Models take turns, and the first call of each is not timed.
    """
    calls = _open_session(cell_networks(cell), cell.info.shape)
    batches = {b: np.zeros((b, *cell.info.shape), np.uint8) for b in BATCHES}
    fastest = {(model, b): math.inf for model in calls for b in BATCHES}
    began = time.process_time()
    for done in range(ROUNDS[1]):
        if done >= ROUNDS[0] and time.process_time() - began > SECONDS:
            break
        for model, batch in fastest:
            if stopping():
                return {}
            seconds = _time_calls(calls[model], batches[batch], CALLS if batch == 1 else 1)
            fastest[model, batch] = min(fastest[model, batch], seconds)
    return {model: {speed_name(b): b / fastest[model, b] for b in BATCHES} for model in calls}


def _time_calls(call: Call, images: np.ndarray, count: int) -> float:
    """Returns the processor time of the fastest of so many calls."""
    times = []
    for _ in range(count):
        before = time.process_time()
        call(images)
        times.append(time.process_time() - before)
    return min(times)


@functools.lru_cache(maxsize=2)
def _open_session(networks: tuple[Network, ...], shape: tuple[int, int, int]) -> dict[str, Call]:
    """Returns, by model, a function that computes the logits of uint8 images (n, height, width, channels), warm."""
    if sum(n.size for n in networks) > MOST_PARAMETERS:
        raise ValueError(f"more than {MOST_PARAMETERS:,} parameters")
    v1, graph = tf.compat.v1, tf.Graph()
    with graph.as_default(), tf.device("/CPU:0"):
        images = v1.placeholder(tf.uint8, (None, *shape))
        logits = [_infer(n, tf.cast(images, tf.float32)) for n in networks]
        outputs = [*logits, tf.add_n(logits) / len(logits)]
    config = v1.ConfigProto(
        intra_op_parallelism_threads=1,
        inter_op_parallelism_threads=1,
        use_per_session_threads=True,
        device_count={"GPU": 0},
    )
    session = v1.Session(graph=graph, config=config)
    calls = [session.make_callable(output.op, [images]) for output in outputs]
    for call in calls:
        for batch in BATCHES:
            call(np.zeros((batch, *shape), np.uint8))
    return dict(zip((*(n.member.name for n in networks), ENSEMBLE), calls, strict=True))


def _infer(network: Network, images: tf.Tensor) -> tf.Tensor:
    theta, moments = network.initial(np.random.default_rng(0)), network.initial_moments()
    logits, _ = network.forward(tf.constant(theta), tf.constant(moments), images, training=False, dtype=tf.float32)
    return logits
