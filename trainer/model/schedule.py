"""Randomness and learning rates, each a pure function of seed, epoch and step."""

from __future__ import annotations

import numpy as np

WEIGHTS, ORDER = 1, 2  # independent streams of the same seed


def random_generator(stream: int, seed: int, index: int) -> np.random.Generator:
    """Returns a counter-based generator (Philox; Salmon et al. 2011) for one purpose, the same on every machine."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([stream, seed, index])))


def epoch_order(seed: int, epoch: int, examples: int, batch_size: int) -> np.ndarray:
    """Returns the mini-batches of an epoch (from 0): (examples // batch_size, batch_size) int32 indexes, each at most once.

    The last, short batch is left out. Every epoch is shuffled anew, so other examples are left out in the next.
    """
    order = random_generator(ORDER, seed, epoch).permutation(examples).astype(np.int32)
    steps = examples // batch_size
    return order[: steps * batch_size].reshape(steps, batch_size)


def epoch_batches(seed: int, epoch: int, examples: int, batch_size: int, *, fixed: bool) -> list[np.ndarray]:
    """Returns the mini-batches of an epoch (from 0) as matrices of indexes, (steps, batch) int32, to be trained in turn.

    Args:
        fixed: the same batches in the order of the data set in every epoch, and last the short one. Else they are shuffled
            (``epoch_order``).
    """
    if not fixed:
        return [epoch_order(seed, epoch, examples, batch_size)]
    order = np.arange(examples, dtype=np.int32)
    whole = examples // batch_size * batch_size
    parts = [order[:whole].reshape(-1, batch_size), order[whole:].reshape(1, -1)]
    return [part for part in parts if part.size]


def collaboration_weight(alpha: float, plan: str, epoch: int, epochs: int) -> float:
    """Returns the weight of the collaboration cost in an epoch (from 0).

    ``rise`` grows by equal steps up to ``alpha`` in the last epoch, ``fall`` goes the same way back, and ``late`` is 0 before
    half of the epochs are over and ``alpha`` from then on.
    """
    shares = {
        "constant": 1.0,
        "rise": (epoch + 1) / epochs,
        "fall": (epochs - epoch) / epochs,
        "late": 2 * epoch >= epochs,
    }
    return alpha * shares[plan]


def learning_rate(base: float, epoch: int, epochs: int) -> float:
    """Returns the learning rate of an epoch (from 0): halved from 50 % of ``epochs``, again from 75 %, again after 90 %."""
    return base * 0.5 ** ((2 * epoch >= epochs) + (4 * epoch >= 3 * epochs) + (10 * epoch > 9 * epochs))
