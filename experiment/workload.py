"""What the training of a cell takes, near enough to compare cells with one another: its work, and what is compiled for it."""

from __future__ import annotations

from experiment.cell import Cell
from experiment.extensions import count_trained
from experiment.members import Member

FORWARD = 1 / 3  # what a prediction takes of a step, which goes forward and back


def multiply_adds(cell: Cell) -> float:
    """Returns the multiply-adds of a cell's convolutions over its training, near enough to compare cells."""
    height, width, _ = cell.info.shape
    standing = cell.members if cell.stale_epochs else cell.teacher.members if cell.teacher else ()
    own, others = (sum(_convolutions(m, height * width) for m in each) for each in (cell.members, standing))
    images = cell.epochs * count_trained(cell) * (1 + cell.unlabelled_share)
    return images * (own + FORWARD * others)


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
