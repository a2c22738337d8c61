"""Trained members as Keras models: standard layers only, loadable by ``keras.saving.load_model`` in safe mode."""

from __future__ import annotations

import functools
import io
import json
import zipfile
from collections.abc import Mapping

import keras
import numpy as np

from experiment.members import Member
from trainer.model import formats
from trainer.model.architecture import Layer, head_layers, stem_layers
from trainer.model.networks import EPSILON, MOMENTUM, Network
from trainer.model.scratch import scratch_file

# Stated in every layer: keras.json and what a program has set of Keras cannot change a member.
DTYPE, LAYOUT = "float32", "channels_last"
NO_DATE = "1980-01-01@00:00:00"  # in Keras' form; its tools need one


def to_keras(network: Network, shape: tuple[int, int, int], arrays: Mapping[str, np.ndarray]) -> keras.Model:
    """Returns the network as a functional Keras model from images (height, width, channels) of 0 to 255 to logits.

    Args:
        arrays: every parameter and moment by name (``Network.arrays``).
    """
    images = keras.Input(shape, name="images", dtype=DTYPE)
    norm, first = stem_layers(network.member, network.channels)
    x = _apply(first, _apply(norm, images))
    for name, path, shortcut in network.blocks:
        y = x
        for layer in path:
            y = _apply(layer, y)
        x = keras.layers.Add(name=_name(f"{name}/sum"), dtype=DTYPE)(
            [y, x if shortcut is None else _apply(shortcut, x)]
        )
    *widen, logits = head_layers(network.member, network.head, network.classes)
    for layer in widen:
        x = _apply(layer, x)
    x = keras.layers.GlobalAveragePooling2D(name="pool", data_format=LAYOUT, dtype=DTYPE)(x)
    model = keras.Model(images, _apply(logits, x), name=network.member.name)
    for layer in network.layers:
        model.get_layer(_name(layer.name)).set_weights([arrays[name] for name in _weight_names(layer, network)])
    return model


def read_arrays(network: Network, data: bytes) -> dict[str, np.ndarray]:
    """Returns every parameter and moment by name from the ``.keras`` file that was made of the network."""
    model = formats.load_member(data)
    named: dict[str, np.ndarray] = {}
    for layer in network.layers:
        weights = model.get_layer(_name(layer.name)).get_weights()
        named |= zip(_weight_names(layer, network), weights, strict=True)
    return named


def _weight_names(layer: Layer, network: Network) -> list[str]:
    """Returns the names of a layer's parameters and moments, in Keras' order."""
    moments = ["mean", "variance"] if layer in network.norms else []
    return [p.name for p in layer.parameters] + [f"{layer.name}/{moment}" for moment in moments]


def to_bytes(model: keras.Model) -> bytes:
    """Returns the content of the model's ``.keras`` file: the same bytes for the same weights, whenever it is made."""
    with scratch_file("model.keras") as path:
        model.save(path)
        return _remove_dates(path.read_bytes())


def _remove_dates(data: bytes) -> bytes:
    """Returns a ``.keras`` file without the hour, which Keras writes into the archive and into its ``metadata.json``."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as file, zipfile.ZipFile(made, "w") as dateless:
        for name in file.namelist():
            content = file.read(name)
            if name == "metadata.json":
                content = json.dumps({**json.loads(content), "date_saved": NO_DATE}, sort_keys=True).encode()
            dateless.writestr(zipfile.ZipInfo(name), content)  # whose date is that of NO_DATE
    return made.getvalue()


@functools.cache
def rehearse_export() -> None:
    """Saves a small network as a commit will, so that whatever would fail there fails before the training.

    Raises:
        InvalidInput, Transient: the file cannot be written.
    """
    network = Network(Member(name="rehearsal", bricks=1, blocks=1, filters=1), 1, "plain")
    arrays = network.arrays(np.zeros(network.size, np.float32), network.initial_moments())
    to_bytes(to_keras(network, (2, 2, 1), arrays))


def _apply(layer: Layer, x: keras.KerasTensor) -> keras.KerasTensor:
    name, out = _name(layer.name), layer.channels[1]
    if layer.kind == "conv":
        return keras.layers.Conv2D(
            out,
            layer.size,
            strides=layer.stride,
            padding=layer.padding.lower(),
            data_format=LAYOUT,
            use_bias=layer.bias,
            name=name,
            dtype=DTYPE,
        )(x)
    if layer.kind == "linear":
        return keras.layers.Dense(out, name=name, dtype=DTYPE)(x)
    norm = keras.layers.BatchNormalization(
        center=layer.kind == "norm", scale=False, momentum=MOMENTUM, epsilon=EPSILON, name=name, dtype=DTYPE
    )(x)
    return keras.layers.ReLU(name=f"{name}_relu", dtype=DTYPE)(norm) if layer.kind == "norm" else norm


def _name(name: str) -> str:
    return name.replace("/", "_")  # Keras keeps '/' for its own scopes
