"""What the training of a cell takes, near enough to compare cells with one another: its work, and what is compiled for it."""

from __future__ import annotations

from experiment.cell import Cell, Member
from experiment.extensions import count_trained

STALE_PASS = 4 / 3  # of a step that also predicts with stale peers: forward and back are about three times a prediction


def multiply_adds(cell: Cell) -> float:
    """Returns the multiply-adds of a cell's convolutions over its training, near enough to compare cells."""
    height, width, _ = cell.info.shape
    per_image = sum(_convolutions(m, height * width) for m in cell.members) * (1 + cell.unlabelled_share)
    peers = STALE_PASS if cell.stale_epochs else 1.0
    return float(cell.epochs * count_trained(cell)) * per_image * peers


def _convolutions(member: Member, pixels: int) -> float:
    bricks = range(member.bricks)
    layers = [9 * (member.filters * 2**b) ** 2 * (pixels / 4**b) * (2 * member.blocks + 1) for b in bricks]
    return float(sum(layers))


def compiled_shape(cell: Cell) -> tuple[object, ...]:
    """Returns what a compiled training step depends on: a warm worker compiles once for all cells of one shape."""
    always = (
        cell.dataset,
        cell.data,
        cell.members,
        cell.head,
        cell.precision,
        cell.batch_size,
        cell.train_examples,
        cell.method,
    )
    return (*always, cell.extensions_text)
