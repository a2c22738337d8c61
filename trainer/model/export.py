"""Trained members as Keras models: standard layers only, loadable by ``keras.saving.load_model`` in safe mode."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from trainer.model.architecture import Layer, head_layers, residual_blocks, stem_layers
from trainer.model.networks import EPSILON, MOMENTUM, Network


def to_keras(network: Network, shape: tuple[int, int, int], arrays: Mapping[str, np.ndarray]) -> keras.Model:
    """Returns the network as a functional Keras model from images (height, width, channels) of 0 to 255 to logits.

    Args:
        arrays: every parameter and moment by name (``Network.arrays``).
    """
    images = keras.Input(shape, name="images")
    norm, first = stem_layers(network.member, network.channels)
    x = _apply(first, _apply(norm, images))
    for name, path, shortcut in residual_blocks(network.member):
        y = x
        for layer in path:
            y = _apply(layer, y)
        x = keras.layers.Add(name=_name(f"{name}/sum"))([y, x if shortcut is None else _apply(shortcut, x)])
    *widen, logits = head_layers(network.member, network.head)
    for layer in widen:
        x = _apply(layer, x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(images, _apply(logits, x), name=network.member.name)
    for layer in network.layers:
        parts = [arrays.get(f"{layer.name}/{part}") for part in ("kernel", "bias", "mean", "variance")]
        model.get_layer(_name(layer.name)).set_weights([p for p in parts if p is not None])
    return model


def to_bytes(model: keras.Model) -> bytes:
    """Returns the content of the model's ``.keras`` file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def _apply(layer: Layer, x: keras.KerasTensor) -> keras.KerasTensor:
    name, out = _name(layer.name), layer.channels[1]
    if layer.kind == "conv":
        return keras.layers.Conv2D(
            out, layer.size, strides=layer.stride, padding=layer.padding.lower(), use_bias=layer.bias, name=name
        )(x)
    if layer.kind == "linear":
        return keras.layers.Dense(out, name=name)(x)
    norm = keras.layers.BatchNormalization(
        center=layer.kind == "norm", scale=False, momentum=MOMENTUM, epsilon=EPSILON, name=name
    )(x)
    return keras.layers.ReLU(name=f"{name}_relu")(norm) if layer.kind == "norm" else norm


def _name(name: str) -> str:
    return name.replace("/", "_")  # Keras keeps '/' for its own scopes
