"""What the training of a cell takes, near enough to compare cells with one another: its work, and what is compiled for it."""

from __future__ import annotations

from experiment.cell import Cell, Member
from experiment.datasets import DATASETS


def multiply_adds(cell: Cell) -> float:
    """Returns the multiply-adds of a cell's convolutions over its training, near enough to compare cells."""
    info = DATASETS[cell.dataset]
    height, width, _ = info.shape
    per_image = sum(_convolutions(m, height * width) for m in cell.members)
    return float(cell.epochs * (cell.train_examples or info.train)) * per_image


def _convolutions(member: Member, pixels: int) -> float:
    bricks = range(member.bricks)
    layers = [9 * (member.filters * 2**b) ** 2 * (pixels / 4**b) * (2 * member.blocks + 1) for b in bricks]
    return float(sum(layers))


def compiled_shape(cell: Cell) -> tuple[object, ...]:
    """Returns what a compiled training step depends on: a warm worker compiles once for all cells of one shape."""
    return (cell.dataset, cell.members, cell.head, cell.precision, cell.batch_size, cell.train_examples, cell.method)
