"""The compiled training steps: one program per shape of ensemble and method, reused from cell to cell.

Learning rate, alpha and weight decay are arguments: cells that differ in nothing else share a program. The state stays on
the device, and one call does many steps.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from experiment.cell import Cell, Member
from experiment.datasets import DATASETS
from trainer.model import adam, costs, device, schedule
from trainer.model.networks import Network
from trainer.model.types import STATE, Rates

EVALUATION_BATCH = 500
Span = tuple[int, int]


@dataclass(frozen=True)
class Signature:
    """The settings that a program is compiled for."""

    members: tuple[Member, ...]
    channels: int
    head: str
    collaboration: costs.Collaboration
    arithmetic: str
    deterministic: bool  # TensorFlow traces other operations: the same cost with other last bits


def program_signature(cell: Cell, arithmetic: str) -> Signature:
    """Returns the signature of the program that trains a cell in float32 or bfloat16."""
    return Signature(
        members=cell.members,
        channels=DATASETS[cell.dataset].shape[2],
        head=cell.head,
        collaboration=costs.Collaboration(cell.method, cell.pairs, cell.pull, cell.temperature),
        arithmetic=arithmetic,
        deterministic=device.is_deterministic(),
    )


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
        self.networks = [Network(m, key.channels, key.head) for m in key.members]
        self._dtype = tf.as_dtype(key.arithmetic)
        self._sizes = [n.size for n in self.networks]
        self._moments_sizes = [n.moments_size for n in self.networks]
        total = sum(self._sizes)
        self._theta = tf.Variable(tf.zeros(total))
        self._adam_m, self._adam_v = (tf.Variable(tf.zeros(total), trainable=False) for _ in range(2))
        self._moments = tf.Variable(tf.zeros(sum(self._moments_sizes)), trainable=False)
        self._sums = tf.Variable(tf.zeros((len(key.members) + 1, 3), tf.float64), trainable=False)
        self._bad_step = tf.Variable(-1, dtype=tf.int64, trainable=False)
        self._kernels = [tf.constant(n.kernel_mask()) for n in self.networks]
        self._train = tf.function(self._steps, jit_compile=jit)
        self._logits = tf.function(self._infer, jit_compile=jit)

    def begin(self, seed: int) -> None:
        """Sets the state to what it is before the first step of a cell with this seed."""
        rngs = [schedule.random_generator(schedule.WEIGHTS, seed, i) for i in range(len(self.networks))]
        zeros = np.zeros(sum(self._sizes), np.float32)
        self.state = {
            "theta": np.concatenate([n.initial(rng) for n, rng in zip(self.networks, rngs, strict=True)]),
            "adam_m": zeros,
            "adam_v": zeros,
            "moments": np.concatenate([n.initial_moments() for n in self.networks]),
            "sums": np.zeros(self._sums.shape),
            "bad_step": np.array(-1),
        }

    @property
    def state(self) -> dict[str, np.ndarray]:
        """All values that the next step depends on, by the names in ``STATE``: copies, which later steps do not change."""
        return {name: np.array(getattr(self, f"_{name}").numpy()) for name in STATE}

    @state.setter
    def state(self, values: Mapping[str, np.ndarray]) -> None:
        for name in STATE:
            getattr(self, f"_{name}").assign(values[name])

    @property
    def bad_step(self) -> int:
        """The first step (from 1, over all epochs) with a non-finite cost; -1 if there was none."""
        return int(self._bad_step.numpy())

    def take_sums(self) -> np.ndarray:
        """Returns the sums for ``metrics.train_figures`` and sets them to zero."""
        sums: np.ndarray = self._sums.numpy()
        self._sums.assign(tf.zeros_like(self._sums))
        return sums

    def train(
        self, images: tf.Tensor, labels: tf.Tensor, order: tf.Tensor, span: Span, *, steps_before: int, rates: Rates
    ) -> None:
        """Does the steps from ``span[0]`` up to and without ``span[1]`` of an epoch.

        Args:
            images: (n, height, width, channels) uint8 on the device.
            labels: (n,) int32.
            order: (steps, batch) int32, from ``schedule.epoch_order``.
            steps_before: number of steps in all earlier epochs.
        """
        bounds = tuple(tf.constant(i, tf.int32) for i in span)
        before, numbers = tf.constant(steps_before, tf.int64), tf.constant(rates, tf.float32)
        self._train(images, labels, order, bounds, before, numbers)

    def logits(self, images: tf.Tensor) -> np.ndarray:
        """Returns the members' logits in inference mode, (members, n, classes), of n = ``EVALUATION_BATCH`` uint8 images."""
        result: np.ndarray = self._logits(images).numpy()
        return result

    def decay(self, weight_decay: float) -> list[float]:
        """Returns each member's weight decay in nats: ``weight_decay`` x (sum of squared kernels) / 2."""
        parts = tf.split(self._theta, self._sizes)
        return [float(costs.weight_decay_cost(t, k, weight_decay)) for t, k in zip(parts, self._kernels, strict=True)]

    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """Returns, by member's name, every parameter and moment by name."""
        theta = np.split(self._theta.numpy(), np.cumsum(self._sizes)[:-1])
        moments = np.split(self._moments.numpy(), np.cumsum(self._moments_sizes)[:-1])
        return {n.member.name: n.arrays(t, m) for n, t, m in zip(self.networks, theta, moments, strict=True)}

    def graph(self, shape: tuple[int, int, int], batch_size: int) -> tf.Graph:
        """Returns the graph of one step on uint8 images of ``shape`` (height, width, channels), for people to look at."""
        images = tf.TensorSpec((batch_size, *shape), tf.uint8, "images")
        labels, step = tf.TensorSpec((batch_size,), tf.int32, "labels"), tf.TensorSpec((), tf.int64, "step")
        rates = tf.TensorSpec((3,), tf.float32, "rates")
        return tf.function(self._step).get_concrete_function(images, labels, step, rates).graph

    def _steps(
        self, images: tf.Tensor, labels: tf.Tensor, order: tf.Tensor, span: Span, before: tf.Tensor, rates: tf.Tensor
    ) -> None:
        for i in tf.range(*span):
            step = before + tf.cast(i + 1, tf.int64)
            self._step(tf.gather(images, order[i]), tf.gather(labels, order[i]), step, rates)

    def _step(self, images: tf.Tensor, labels: tf.Tensor, step: tf.Tensor, rates: tf.Tensor) -> None:
        learning_rate, alpha, weight_decay = tf.unstack(rates)
        with tf.GradientTape() as tape:
            logits, moments = self._forward(images, training=True)
            with tf.name_scope("costs"):
                entropies = [costs.batch_cross_entropy(labels, each) for each in logits]
                parts = zip(tf.split(self._theta, self._sizes), self._kernels, strict=True)
                decays = [costs.weight_decay_cost(theta, kernels, weight_decay) for theta, kernels in parts]
                cost = tf.add_n(entropies + decays)
            form = self.key.collaboration
            if form.method != "single":
                with tf.name_scope(f"collaboration_{form.method}"):
                    cost += alpha * costs.collaboration_cost(form, logits)
        with tf.name_scope("gradient"):
            gradient = tape.gradient(cost, self._theta)
        with tf.name_scope("adam"):
            adam.update_parameters(self._theta, (self._adam_m, self._adam_v), gradient, step, learning_rate)
        with tf.name_scope("figures"):
            self._moments.assign(moments)
            self._record(labels, logits, entropies, decays)
            bad = tf.logical_and(self._bad_step < 0, tf.logical_not(tf.math.is_finite(cost)))
            self._bad_step.assign(tf.where(bad, step, self._bad_step))

    def _forward(self, images: tf.Tensor, *, training: bool) -> tuple[list[tf.Tensor], tf.Tensor]:
        images = tf.cast(images, tf.float32)
        with tf.name_scope("parameters"):
            thetas = tf.split(self._theta, self._sizes)
            moments = tf.split(self._moments, self._moments_sizes)
        outs = []
        for n, t, m in zip(self.networks, thetas, moments, strict=True):
            with tf.name_scope(n.member.name):
                outs.append(n.forward(t, m, images, training=training, dtype=self._dtype))
        return [logits for logits, _ in outs], tf.concat([moved for _, moved in outs], axis=0)

    def _record(
        self, labels: tf.Tensor, logits: list[tf.Tensor], entropies: list[tf.Tensor], decays: list[tf.Tensor]
    ) -> None:
        ensemble = tf.add_n(logits) / len(logits)
        wrong = [
            tf.math.count_nonzero(tf.argmax(each, -1, tf.int32) != labels, dtype=tf.float32)
            for each in (*logits, ensemble)
        ]
        entropies = [*entropies, costs.batch_cross_entropy(labels, ensemble)]
        sums = tf.stack([tf.stack(wrong), tf.stack(entropies), tf.stack([*decays, 0.0])], axis=-1)
        self._sums.assign_add(tf.cast(sums, tf.float64))

    def _infer(self, images: tf.Tensor) -> tf.Tensor:
        return tf.stack(self._forward(images, training=False)[0])
