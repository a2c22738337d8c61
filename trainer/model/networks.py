"""The pre-activation ResNets of Noel (2017) as pure functions of one flat vector of parameters.

One vector holds all parameters of an ensemble and another the moving moments of its batch normalisations. An optimizer
step is then one operation, and a checkpoint a handful of arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from experiment.members import Member
from trainer.model.architecture import (
    Block,
    Layer,
    Parameter,
    head_layers,
    member_layers,
    residual_blocks,
    stem_layers,
)
from trainer.model.recipe import PAPER, Recipe

MOMENTUM, EPSILON = 0.99, 1e-3  # of batch normalisation
VECTOR = 16  # with fewer channels, a CPU normalises bfloat16 ten times slower than float32
TRUNCATION = 0.87962566103423978  # standard deviation of a standard normal distribution truncated at 2


@dataclass(frozen=True)
class Network:
    """A member for images of ``channels`` channels: its place in the vectors, its initial values and its forward pass."""

    member: Member
    channels: int
    head: str
    recipe: Recipe = PAPER
    classes: int = 10

    @property
    def layers(self) -> list[Layer]:
        """All layers, in order."""
        raw = self.recipe.raw_downsampling
        return member_layers(self.member, self.channels, self.head, raw=raw, classes=self.classes)

    @property
    def blocks(self) -> list[Block]:
        """The residual blocks, in order."""
        return list(residual_blocks(self.member, raw=self.recipe.raw_downsampling))

    @property
    def parameters(self) -> list[Parameter]:
        """All trainable parameters, in order."""
        return [p for layer in self.layers for p in layer.parameters]

    @property
    def norms(self) -> list[Layer]:
        """The layers with moving moments, in order: of each, the vector holds the means, then the variances."""
        return [layer for layer in self.layers if layer.kind in ("input", "norm")]

    @property
    def size(self) -> int:
        """The number of trainable parameters."""
        return sum(p.size for p in self.parameters)

    @property
    def moments_size(self) -> int:
        """The number of moving means and variances."""
        return sum(2 * layer.channels[1] for layer in self.norms)

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Returns the initial parameters, (size,) float32: kernels as He et al. (2015) draw them, biases and centres 0.

        The distribution is a truncated normal, scaled by the fan-in.
        """
        return np.concatenate([_initial(p, rng).ravel() for p in self.parameters])

    def initial_moments(self) -> np.ndarray:
        """Returns the initial moving moments, (moments_size,) float32: means 0, variances 1."""
        return np.concatenate([np.repeat(np.array([0, 1], np.float32), layer.channels[1]) for layer in self.norms])

    def decay_mask(self) -> np.ndarray:
        """Returns (size,) float32: 1 at the kernels that are decayed, and 0 at biases, centres and other kernels."""
        inner = tuple(f"brick{brick}/" for brick in range(self.member.bricks - 1))
        names = inner if self.recipe.inner_decay else ("",)
        return np.concatenate(
            [np.full(p.size, p.is_kernel and p.name.startswith(names), np.float32) for p in self.parameters]
        )

    def arrays(self, theta: np.ndarray, moments: np.ndarray) -> dict[str, np.ndarray]:
        """Returns every parameter and moment by name."""
        named = {p.name: a.reshape(p.shape) for p, a in zip(self.parameters, _cut(theta, self.parameters), strict=True)}
        ends = np.cumsum([2 * layer.channels[1] for layer in self.norms])[:-1]
        for layer, pair in zip(self.norms, np.split(moments, ends), strict=True):
            named[f"{layer.name}/mean"], named[f"{layer.name}/variance"] = np.split(pair, 2)
        return named

    def forward(
        self, theta: tf.Tensor, moments: tf.Tensor, images: tf.Tensor, *, training: bool, dtype: tf.DType
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the logits of a batch, and the moving moments after it.

        Args:
            theta: (size,) float32.
            moments: (moments_size,) float32.
            images: (batch, height, width, channels), float32 of 0 to 255.
            training: whether to normalise by the batch and move the moments, rather than normalise by the moments.
            dtype: of convolutions and activations. Moments, logits and everything after them are float32.

        Returns:
            logits (batch, classes) float32; moments (moments_size,) float32, unchanged when not training.
        """
        apply = _Pass(self, theta, moments, training=training)
        norm, first = stem_layers(self.member, self.channels)
        x = apply(first, tf.cast(apply(norm, images), dtype))
        for _, path, shortcut in self.blocks:
            y = x
            for layer in path:
                y = apply(layer, y)
            x = y + (x if shortcut is None else apply(shortcut, x))
        *widen, logits = head_layers(self.member, self.head, self.classes)
        x = tf.reduce_mean(tf.cast(x, tf.float32), axis=(1, 2), keepdims=True)
        for layer in widen:  # a 1x1 convolution and pooling commute: after the pooling it is 49 times less work
            x = apply(layer, x)
        return apply(logits, tf.squeeze(x, axis=(1, 2))), apply.moved_moments()


class _Pass:
    """One forward pass: applies layers and keeps the moments that batch normalisation moves."""

    def __init__(self, network: Network, theta: tf.Tensor, moments: tf.Tensor, *, training: bool) -> None:
        self._training, self._biased = training, network.recipe.biased_variance
        pieces = tf.split(theta, [p.size for p in network.parameters])
        self._values = {p.name: tf.reshape(v, p.shape) for p, v in zip(network.parameters, pieces, strict=True)}
        widths = [layer.channels[1] for layer in network.norms for _ in range(2)]
        parts = iter(tf.split(moments, widths))
        self._moments = {layer.name: (next(parts), next(parts)) for layer in network.norms}

    def __call__(self, layer: Layer, x: tf.Tensor) -> tf.Tensor:
        with tf.name_scope(layer.name):
            return self._apply(layer, x)

    def _apply(self, layer: Layer, x: tf.Tensor) -> tf.Tensor:
        bias = self._values.get(f"{layer.name}/bias")
        if layer.kind == "input":
            return self._normalise(layer, x, tf.zeros(layer.channels[1]))
        if layer.kind == "norm":
            return tf.nn.relu(self._normalise(layer, x, bias))
        kernel = self._values[f"{layer.name}/kernel"]
        if layer.kind == "linear":
            return tf.linalg.matmul(x, kernel) + bias
        y = tf.nn.conv2d(x, tf.cast(kernel, x.dtype), layer.stride, layer.padding)
        return y if bias is None else tf.nn.bias_add(y, tf.cast(bias, x.dtype))

    def _normalise(self, layer: Layer, x: tf.Tensor, centre: tf.Tensor) -> tf.Tensor:
        mean, variance = self._moments[layer.name]
        channels, dtype = layer.channels[1], x.dtype
        if channels < VECTOR:
            x = tf.cast(x, tf.float32)
        y, mean, moved = tf.compat.v1.nn.fused_batch_norm(
            x,
            scale=tf.ones(channels),
            offset=centre,
            mean=mean,
            variance=variance,
            epsilon=EPSILON,
            is_training=self._training,
            exponential_avg_factor=1 - MOMENTUM,
        )
        if self._training and self._biased:  # the operation moves by the variance over n - 1: this is the same over n
            n = math.prod(x.shape[:-1])
            moved = (moved * (n - 1) + MOMENTUM * variance) / n
        self._moments[layer.name] = (mean, moved)
        return tf.cast(y, dtype)

    def moved_moments(self) -> tf.Tensor:
        return tf.concat([part for pair in self._moments.values() for part in pair], axis=0)


def _cut(theta: np.ndarray, parameters: Sequence[Parameter]) -> list[np.ndarray]:
    return np.split(theta, np.cumsum([p.size for p in parameters])[:-1])


def _initial(parameter: Parameter, rng: np.random.Generator) -> np.ndarray:
    if not parameter.is_kernel:
        return np.zeros(parameter.shape, np.float32)
    values = rng.standard_normal(parameter.shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    fan_in = math.prod(parameter.shape[:-1])
    return (values * math.sqrt(2 / fan_in) / TRUNCATION).astype(np.float32)
