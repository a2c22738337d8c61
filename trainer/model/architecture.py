"""What a member consists of: its layers in order, from the stem over the residual blocks to the head (Noel 2017, section 2).

The pre-activation ResNet of He et al. (2016), "Identity mappings in deep residual networks", with the paper's own
down-sampling, biases and two heads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from experiment.cell import Cell
from experiment.inference import MULTIPLY_ADDS, PARAMETERS
from experiment.members import ENSEMBLE, Member
from trainer.model.recipe import RECIPES


@dataclass(frozen=True)
class Parameter:
    """One parameter: a kernel, which is decayed and drawn at random, or a vector, which starts at zero and is not decayed."""

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of scalars."""
        return math.prod(self.shape)

    @property
    def is_kernel(self) -> bool:
        """Whether it is a convolution or linear kernel rather than a bias or centre."""
        return len(self.shape) > 1


@dataclass(frozen=True)
class Layer:
    """One layer with parameters or moments.

    Attributes:
        kind: input (normalisation of the image), norm (BN without scale, then ReLU), conv, or linear.
        channels: (in, out).
    """

    name: str
    kind: str
    channels: tuple[int, int]
    size: int = 1
    stride: int = 1
    padding: str = "SAME"
    bias: bool = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters of the layer, in the order in which the vector holds them."""
        fan_in, out = self.channels
        bias = (Parameter(f"{self.name}/bias", (out,)),) if self.bias or self.kind == "norm" else ()
        if self.kind == "conv":
            return (Parameter(f"{self.name}/kernel", (self.size, self.size, fan_in, out)), *bias)
        return (Parameter(f"{self.name}/kernel", self.channels), *bias) if self.kind == "linear" else bias


Block = tuple[str, tuple[Layer, ...], Layer | None]  # (name, main path, projection of the shortcut; None: identity)


def residual_blocks(member: Member, *, raw: bool = False) -> Iterator[Block]:
    """Yields the residual blocks in order. Between two bricks stands one that halves the image and doubles the filters.

    Args:
        raw: whether the first convolution of such a block reads its input as it is, past normalisation and ReLU.
    """
    width = member.filters
    for brick in range(member.bricks):
        for block in range(member.blocks):
            name = f"brick{brick}/block{block}"
            yield name, _path(name, width, width, stride=1, bias=True), None
        if brick < member.bricks - 1:
            name = f"brick{brick}/down"
            shortcut = Layer(
                f"{name}/shortcut", "conv", (width, 2 * width), size=2, stride=2, padding="VALID", bias=True
            )
            path = _path(name, width, 2 * width, stride=2, bias=False)
            yield name, path[1:] if raw else path, shortcut
            width *= 2


def _path(name: str, width: int, out: int, *, stride: int, bias: bool) -> tuple[Layer, ...]:
    return (
        Layer(f"{name}/norm1", "norm", (width, width)),
        Layer(f"{name}/conv1", "conv", (width, out), size=3, stride=stride),
        Layer(f"{name}/norm2", "norm", (out, out)),
        Layer(f"{name}/conv2", "conv", (out, out), size=3, bias=bias),
    )


def stem_layers(member: Member, channels: int) -> tuple[Layer, Layer]:
    """Returns the normalisation of the raw image and the first convolution."""
    first = Layer("first", "conv", (channels, member.filters), size=3, bias=True)
    return Layer("input", "input", (channels, channels)), first


def head_layers(member: Member, kind: str, classes: int = 10) -> tuple[Layer, ...]:
    """Returns the layers after the last block: ``wide`` has a 1x1 convolution to 2^bricks x filters channels, ``plain`` has none."""
    width = member.filters * 2 ** (member.bricks - 1)
    if kind == "plain":
        return (Layer("logits", "linear", (width, classes), bias=True),)
    widen = Layer("widen", "conv", (width, 2 * width), size=1)
    return widen, Layer("logits", "linear", (2 * width, classes), bias=True)


def member_layers(member: Member, channels: int, kind: str, *, raw: bool = False, classes: int = 10) -> list[Layer]:
    """Returns all layers of a member, in the order in which the vectors hold their parameters and moments."""
    blocks = residual_blocks(member, raw=raw)
    inner = [layer for _, path, shortcut in blocks for layer in (*path, *((shortcut,) if shortcut else ()))]
    return [*stem_layers(member, channels), *inner, *head_layers(member, kind, classes)]


def count_costs(cell: Cell) -> dict[str, dict[str, float]]:
    """Returns, by model, the parameters and the multiply-adds of one image; the ensemble's are the sums of its members'."""
    shape, classes, raw = cell.info.shape, cell.info.classes, RECIPES[cell.recipe].raw_downsampling
    counts: dict[str, dict[str, float]] = {
        m.name: {
            PARAMETERS: count_parameters(m, shape[2], cell.head, raw=raw, classes=classes),
            MULTIPLY_ADDS: count_multiply_adds(m, shape, cell.head, classes=classes),
        }
        for m in cell.members
    }
    return counts | {ENSEMBLE: {n: sum(own[n] for own in counts.values()) for n in (PARAMETERS, MULTIPLY_ADDS)}}


def count_parameters(member: Member, channels: int, kind: str, *, raw: bool = False, classes: int = 10) -> int:
    """Returns the number of trainable scalars of a member for images of so many channels."""
    layers = member_layers(member, channels, kind, raw=raw, classes=classes)
    return sum(p.size for layer in layers for p in layer.parameters)


def count_multiply_adds(member: Member, shape: tuple[int, int, int], kind: str, *, classes: int = 10) -> int:
    """Returns the multiplications, each with its addition, of one image's way through convolutions and the linear map.

    They are counted as the network runs: the head's 1x1 convolution comes after the pooling. Normalisations, biases and
    sums are not counted.

    Args:
        shape: of the image, (height, width, channels).
    """
    height, width, channels = shape
    _, first = stem_layers(member, channels)
    count = height * width * _kernel_size(first)
    for _, path, shortcut in residual_blocks(member):
        if shortcut:
            height, width = height // shortcut.stride, width // shortcut.stride
        layers = (*path, shortcut) if shortcut else path
        count += height * width * sum(map(_kernel_size, layers))  # a block strides in its first convolution
    return count + sum(map(_kernel_size, head_layers(member, kind, classes)))


def _kernel_size(layer: Layer) -> int:
    return sum(p.size for p in layer.parameters if p.is_kernel)
