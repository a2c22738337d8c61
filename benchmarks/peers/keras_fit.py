"""Plain Keras: the same members as layers, the same costs, ``fit``."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from benchmarks.peers import Steps, Workload
from experiment.datasets import DATASETS
from trainer.model import export
from trainer.model.networks import Network


def prepare_steps(workload: Workload) -> Steps:
    """Returns the steps of a functional model of both members, with decay and collaboration in its loss, and Adam."""
    cell, shape = workload.cell, DATASETS[workload.dataset].shape
    images = keras.Input(shape)
    members = []
    for member in cell.members:
        network = Network(member, shape[2], cell.head)
        arrays = network.arrays(network.initial(np.random.default_rng(0)), network.initial_moments())
        members.append(export.to_keras(network, shape, arrays))
    model = keras.Model(images, keras.layers.Concatenate()([m(images) for m in members]))
    kernels = [v for v in model.trainable_variables if len(v.shape) > 1]
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        first, second = logits[:, :10], logits[:, 10:]
        decay = cell.weight_decay * tf.add_n([tf.nn.l2_loss(k) for k in kernels])
        collaboration = tf.reduce_mean(tf.reduce_sum(tf.math.squared_difference(first, second), -1))
        return entropy(labels, first) + entropy(labels, second) + decay + cell.alpha * collaboration

    model.compile(keras.optimizers.Adam(cell.learning_rate, epsilon=1e-8), loss)
    x, y, batch = workload.images(), workload.labels(), cell.batch_size

    def steps(count: int) -> None:
        model.fit(x[: count * batch], y[: count * batch], batch_size=batch, epochs=1, verbose=0)

    return steps
