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
        self.networks = [Network(m, key.channels, key.head, key.recipe, key.classes) for m in key.members]
        self._sizes = [n.size for n in self.networks]
        self._moments_sizes = [n.moments_size for n in self.networks]
        total = sum(self._sizes)
        self._theta = tf.Variable(tf.zeros(total))
        self._adam_m, self._adam_v = (tf.Variable(tf.zeros(total), trainable=False) for _ in range(2))
        self._moments = tf.Variable(tf.zeros(sum(self._moments_sizes)), trainable=False)
        self._sums = tf.Variable(tf.zeros((len(key.members) + 1, 3), tf.float64), trainable=False)
        self._bad_step = tf.Variable(-1, dtype=tf.int64, trainable=False)
        self._names = (*STATE, *PEERS) if key.stale_peers else STATE
        if key.stale_peers:
            self._peers_theta, self._peers_moments = (
                tf.Variable(tf.zeros_like(v), trainable=False) for v in (self._theta, self._moments)
            )
        self._decayed = [tf.constant(n.decay_mask()) for n in self.networks]
        self._train = tf.function(self._steps, jit_compile=jit)
        self._logits = tf.function(self._infer, jit_compile=jit)

    def begin(self, seed: int) -> None:
        """Sets the state to what it is before the first step of a cell with this seed."""
        rngs = [schedule.random_generator(schedule.WEIGHTS, seed, i) for i in range(len(self.networks))]
        zeros = np.zeros(sum(self._sizes), np.float32)
        theta = np.concatenate([n.initial(rng) for n, rng in zip(self.networks, rngs, strict=True)])
        moments = np.concatenate([n.initial_moments() for n in self.networks])
        self.state = {
            "theta": theta,
            "adam_m": zeros,
            "adam_v": zeros,
            "moments": moments,
            "peers_theta": theta,
            "peers_moments": moments,
            "sums": np.zeros(self._sums.shape),
            "bad_step": np.array(-1),
        }

    @property
    def state(self) -> dict[str, np.ndarray]:
        """All values that the next step depends on, by name: copies, which later steps do not change."""
        return {name: np.array(getattr(self, f"_{name}").numpy()) for name in self._names}

    @state.setter
    def state(self, values: Mapping[str, np.ndarray]) -> None:
        for name in self._names:
            getattr(self, f"_{name}").assign(values[name])

    @property
    def bad_step(self) -> int:
        """The first step (from 1, over all epochs) with a non-finite cost; -1 if there was none."""
        return int(self._bad_step.numpy())

    def renew_peers(self) -> None:
        """Lets the members be compared, from now on, with one another as they are now."""
        self._peers_theta.assign(self._theta)
        self._peers_moments.assign(self._moments)

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
        parts = tf.split(self._theta, self._sizes)
        return [float(costs.weight_decay_cost(t, k, weight_decay)) for t, k in zip(parts, self._decayed, strict=True)]

    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """Returns, by member's name, every parameter and moment by name."""
        theta = np.split(self._theta.numpy(), np.cumsum(self._sizes)[:-1])
        moments = np.split(self._moments.numpy(), np.cumsum(self._moments_sizes)[:-1])
        return {n.member.name: n.arrays(t, m) for n, t, m in zip(self.networks, theta, moments, strict=True)}

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
        standing = self._infer_peers(seen) if key.stale_peers else None
        with tf.GradientTape() as tape:
            (logits, moments), *others = [self._forward(images, training=True) for images in seen]
            with tf.name_scope("costs"):
                parts = zip(tf.split(self._theta, self._sizes), self._decayed, strict=True)
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
            gradient = tape.gradient(cost, self._theta)
        with tf.name_scope("adam"):
            adam.update_parameters(self._theta, (self._adam_m, self._adam_v), gradient, step, learning_rate)
        with tf.name_scope("figures"):
            self._moments.assign(moments)
            figures = averages.step_figures(batch.labels, logits, entropies, decays)
            fading = key.recipe.fading_figures
            self._sums.assign(averages.add_step(self._sums, figures, batch.labels.shape[0], fading=fading))
            bad = tf.logical_and(self._bad_step < 0, tf.logical_not(tf.math.is_finite(cost)))
            self._bad_step.assign(tf.where(bad, step, self._bad_step))

    def _infer_peers(self, seen: list[tf.Tensor]) -> list[tf.Tensor]:
        with tf.name_scope("peers"):
            peers = self._peers_theta, self._peers_moments
            return self._forward(tf.concat(seen, axis=0), training=False, values=peers)[0]

    def _forward(
        self, images: tf.Tensor, *, training: bool, values: tuple[tf.Variable, tf.Variable] | None = None
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Returns the members' logits, and the moments after them, with these parameters and moments or the own ones."""
        images = tf.cast(images, tf.float32)
        with tf.name_scope("parameters"):
            theta, moved = values or (self._theta, self._moments)
            thetas, moments = tf.split(theta, self._sizes), tf.split(moved, self._moments_sizes)
        outs = []
        for n, t, m in zip(self.networks, thetas, moments, strict=True):
            with tf.name_scope(n.member.name):
                outs.append(n.forward(t, m, images, training=training, dtype=tf.as_dtype(self.key.arithmetic)))
        return [logits for logits, _ in outs], tf.concat([moved for _, moved in outs], axis=0)

    def _infer(self, images: tf.Tensor) -> tf.Tensor:
        return tf.stack(self._forward(images, training=False)[0])
