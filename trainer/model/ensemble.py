"""The networks of an ensemble on the device: all parameters are one vector, and all moving moments another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from trainer.model.networks import Network

Arrays = Mapping[str, np.ndarray]  # every parameter and moment of a member by name


class Ensemble:
    """Networks with the variables that hold their parameters, (size,) float32, and their moments, (moments_size,) float32.

    Args:
        dtype: of convolutions and activations.
        trainable: whether a gradient is asked for.
    """

    def __init__(self, networks: Sequence[Network], dtype: tf.DType, *, trainable: bool = True) -> None:
        self.networks, self._dtype = list(networks), dtype
        self._sizes = [n.size for n in networks]
        self._moments_sizes = [n.moments_size for n in networks]
        self.theta = tf.Variable(tf.zeros(sum(self._sizes)), trainable=trainable)
        self.moments = tf.Variable(tf.zeros(sum(self._moments_sizes)), trainable=False)

    def parts(self) -> list[tf.Tensor]:
        """Returns each network's parameters."""
        return list(tf.split(self.theta, self._sizes))

    def forward(self, images: tf.Tensor, *, training: bool) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Returns the networks' logits of uint8 images, and the moments after them (``Network.forward``)."""
        images = tf.cast(images, tf.float32)
        with tf.name_scope("parameters"):
            thetas, moments = self.parts(), tf.split(self.moments, self._moments_sizes)
        outs = []
        for n, t, m in zip(self.networks, thetas, moments, strict=True):
            with tf.name_scope(n.member.name):
                outs.append(n.forward(t, m, images, training=training, dtype=self._dtype))
        return [logits for logits, _ in outs], tf.concat([moved for _, moved in outs], axis=0)

    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """Returns, by member's name, every parameter and moment by name."""
        theta = np.split(self.theta.numpy(), np.cumsum(self._sizes)[:-1])
        moments = np.split(self.moments.numpy(), np.cumsum(self._moments_sizes)[:-1])
        return {n.member.name: n.arrays(t, m) for n, t, m in zip(self.networks, theta, moments, strict=True)}

    def flatten(self, arrays: Mapping[str, Arrays]) -> tuple[np.ndarray, np.ndarray]:
        """Returns the parameters and the moments that ``arrays`` gives by name."""
        thetas = [arrays[n.member.name][p.name].ravel() for n in self.networks for p in n.parameters]
        moments = [
            arrays[n.member.name][f"{layer.name}/{part}"]
            for n in self.networks
            for layer in n.norms
            for part in ("mean", "variance")
        ]
        return np.concatenate(thetas), np.concatenate(moments)
