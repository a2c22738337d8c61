"""The compiled training steps: one program per signature, reused from cell to cell.

Learning rate, alpha and weight decay are arguments: cells that differ in nothing else share a program. The state stays on
the device, and one call does many steps.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from trainer.model import adam, averages, costs, schedule
from trainer.model.ensemble import Arrays, Ensemble
from trainer.model.inputs import Examples, step_images
from trainer.model.networks import Network
from trainer.model.signature import Signature
from trainer.model.types import PEERS, STATE, Rates

EVALUATION_BATCH = 500
Span = tuple[int, int]


@functools.lru_cache(maxsize=8)
def compiled_program(key: Signature, *, jit: bool) -> Program:
    """Returns the program of a signature, compiled at its first use in this process."""
    return Program(key, jit=jit)


class Program:
    """The state of one ensemble on the device and the compiled functions that change it.

    Args:
        jit: compile with XLA. Not on a CPU, where XLA's convolutions are many times slower than oneDNN's.
    """

    def __init__(self, key: Signature, *, jit: bool) -> None:
        self.key = key
        dtype = tf.as_dtype(key.arithmetic)
        self._own = Ensemble(key.networks, dtype)
        self._peers = Ensemble(key.peers, dtype, trainable=False) if key.peers else None
        size = self._own.theta.shape
        self._adam_m, self._adam_v = (tf.Variable(tf.zeros(size), trainable=False) for _ in range(2))
        self._sums = tf.Variable(tf.zeros((len(key.networks) + 1, 3), tf.float64), trainable=False)
        self._bad_step = tf.Variable(-1, dtype=tf.int64, trainable=False)
        own = (self._own.theta, self._adam_m, self._adam_v, self._own.moments, self._sums, self._bad_step)
        peers = (self._peers.theta, self._peers.moments) if self._peers else ()
        self._variables = dict(zip((*STATE, *PEERS), (*own, *peers), strict=False))
        self._decayed = [tf.constant(n.decay_mask()) for n in self._own.networks]
        self._train = tf.function(self._steps, jit_compile=jit)
        self._logits = tf.function(self._infer, jit_compile=jit)

    def begin(self, seed: int, teacher: Mapping[str, Arrays] | None = None) -> None:
        """Sets the state to what it is before the first step of a cell with this seed.

        Args:
            teacher: by name of its members, their parameters and moments, where the signature has a teacher.
        """
        networks = self._own.networks
        rngs = [schedule.random_generator(schedule.WEIGHTS, seed, i) for i in range(len(networks))]
        theta = np.concatenate([n.initial(rng) for n, rng in zip(networks, rngs, strict=True)])
        moments = np.concatenate([n.initial_moments() for n in networks])
        zeros = np.zeros_like(theta)
        sums, bad_step = np.zeros(self._sums.shape), np.array(-1)
        peers = self._peers.flatten(teacher) if self._peers and teacher else (theta, moments)
        values = (theta, zeros, zeros, moments, sums, bad_step, *peers)
        self.state = dict(zip((*STATE, *PEERS), values, strict=True))

    @property
    def state(self) -> dict[str, np.ndarray]:
        """All values that the next step depends on, by name: copies, which later steps do not change."""
        return {name: np.array(variable.numpy()) for name, variable in self._variables.items()}

    @state.setter
    def state(self, values: Mapping[str, np.ndarray]) -> None:
        for name, variable in self._variables.items():
            variable.assign(values[name])

    @property
    def networks(self) -> list[Network]:
        """The members' networks."""
        return self._own.networks

    @property
    def bad_step(self) -> int:
        """The first step (from 1, over all epochs) with a non-finite cost; -1 if there was none."""
        return int(self._bad_step.numpy())

    def renew_peers(self) -> None:
        """Lets the members be compared, from now on, with one another as they are now."""
        assert self._peers
        self._peers.theta.assign(self._own.theta)
        self._peers.moments.assign(self._own.moments)

    def take_sums(self) -> np.ndarray:
        """Returns the sums for ``metrics.train_figures`` and sets them to zero."""
        sums: np.ndarray = self._sums.numpy()
        self._sums.assign(tf.zeros_like(self._sums))
        return sums

    def train(
        self, examples: Examples, order: tf.Tensor, span: Span, *, seed: int, steps_before: int, rates: Rates
    ) -> None:
        """Does the steps from ``span[0]`` up to and without ``span[1]`` of an order.

        Args:
            order: (steps, batch) int32, from ``schedule.epoch_batches``.
            seed: of the cell.
            steps_before: number of steps before those of the order.
        """
        bounds = tuple(tf.constant(i, tf.int32) for i in span)
        place = tuple(tf.constant(i, tf.int64) for i in (seed, steps_before))
        self._train(examples, order, bounds, place, tf.constant(rates, tf.float32))

    def logits(self, images: tf.Tensor) -> np.ndarray:
        """Returns the members' logits in inference mode, (members, n, classes), of n = ``EVALUATION_BATCH`` uint8 images."""
        return np.asarray(self._logits(images).numpy())

    def decay(self, weight_decay: float) -> list[float]:
        """Returns each member's weight decay in nats: ``weight_decay`` x (sum of squares of what is decayed) / 2."""
        parts = zip(self._own.parts(), self._decayed, strict=True)
        return [float(costs.weight_decay_cost(theta, decayed, weight_decay)) for theta, decayed in parts]

    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """Returns, by member's name, every parameter and moment by name."""
        return self._own.arrays()

    def graph(self, shape: tuple[int, int, int], batch_size: int) -> tf.Graph:
        """Returns the graph of one step on uint8 images of ``shape`` (height, width, channels), for people to look at."""
        images, pool = (
            tf.TensorSpec((n, *shape), tf.uint8, name) for n, name in ((batch_size, "images"), (None, "pool"))
        )
        examples = Examples(images, tf.TensorSpec((batch_size,), tf.int32, "labels"), pool)
        seed, step = (tf.TensorSpec((), tf.int64, name) for name in ("seed", "step"))
        rates = tf.TensorSpec((len(Rates._fields),), tf.float32, "rates")
        return tf.function(self._step).get_concrete_function(examples, seed, step, rates).graph

    def _steps(
        self, examples: Examples, order: tf.Tensor, span: Span, place: tuple[tf.Tensor, tf.Tensor], rates: tf.Tensor
    ) -> None:
        seed, before = place
        for i in tf.range(*span):
            step = before + tf.cast(i + 1, tf.int64)
            batch = Examples(tf.gather(examples.images, order[i]), tf.gather(examples.labels, order[i]), examples.pool)
            self._step(batch, seed, step, rates)

    def _step(self, batch: Examples, seed: tf.Tensor, step: tf.Tensor, rates: tf.Tensor) -> None:
        key = self.key
        learning_rate, alpha, weight_decay = tf.unstack(rates)
        with tf.name_scope("inputs"):
            seen = step_images(key, batch, seed, step)
        standing = self._infer_peers(seen)
        with tf.GradientTape() as tape:
            (logits, moments), *others = [self._own.forward(images, training=True) for images in seen]
            with tf.name_scope("costs"):
                parts = zip(self._own.parts(), self._decayed, strict=True)
                decays = [costs.weight_decay_cost(theta, decayed, weight_decay) for theta, decayed in parts]
                entropies, smoothed = costs.label_costs(batch.labels, logits, key.label_smoothing)
                cost = tf.add_n(smoothed + decays)
            if key.collaboration.method != "single":
                with tf.name_scope(f"collaboration_{key.collaboration.method}"):
                    everywhere = [
                        tf.concat(own, axis=0) for own in zip(logits, *(out for out, _ in others), strict=True)
                    ]
                    cost += alpha * costs.collaboration_cost(key.collaboration, everywhere, standing)
        with tf.name_scope("gradient"):
            gradient = tape.gradient(cost, self._own.theta)
        with tf.name_scope("adam"):
            adam.update_parameters(self._own.theta, (self._adam_m, self._adam_v), gradient, step, learning_rate)
        with tf.name_scope("figures"):
            self._own.moments.assign(moments)
            figures = averages.step_figures(batch.labels, logits, entropies, decays)
            fading = key.recipe.fading_figures
            self._sums.assign(averages.add_step(self._sums, figures, batch.labels.shape[0], fading=fading))
            bad = tf.logical_and(self._bad_step < 0, tf.logical_not(tf.math.is_finite(cost)))
            self._bad_step.assign(tf.where(bad, step, self._bad_step))

    def _infer_peers(self, seen: list[tf.Tensor]) -> list[tf.Tensor] | None:
        """Returns the logits of those that stand still, if the members are compared with such."""
        if self._peers is None:
            return None
        with tf.name_scope("peers"):
            return self._peers.forward(tf.concat(seen, axis=0), training=False)[0]

    def _infer(self, images: tf.Tensor) -> tf.Tensor:
        return tf.stack(self._own.forward(images, training=False)[0])
