"""What a training step is compiled for: the settings of a cell that change its graph."""

from __future__ import annotations

from dataclasses import dataclass

from experiment.cell import Cell
from experiment.extensions import count_unlabelled
from trainer.model import device
from trainer.model.costs import Collaboration
from trainer.model.networks import Network
from trainer.model.recipe import RECIPES, Recipe
from trainer.model.types import Snapshot


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The settings that a program is compiled for.

    Attributes:
        networks: the members'.
        peers: of those that stand still while the members are compared with them: the same, as they were some time ago, or
            a teacher's; empty: the members are compared with one another as they are.
        deterministic: whether operations are: TensorFlow then traces others, with other last bits.
        unlabelled: where the images without labels come from; ``none``: there are none.
        unlabelled_count: how many of them a step has.
    """

    networks: tuple[Network, ...]
    peers: tuple[Network, ...]
    arithmetic: str
    deterministic: bool
    collaboration: Collaboration
    label_smoothing: float
    augment: str
    unlabelled: str
    unlabelled_count: int
    recipe: Recipe


def cell_networks(cell: Cell) -> tuple[Network, ...]:
    """Returns the networks of a cell's members."""
    info, recipe = cell.info, RECIPES[cell.recipe]
    return tuple(Network(m, info.shape[2], cell.head, recipe, info.classes) for m in cell.members)


def cell_arithmetic(cell: Cell, snapshot: Snapshot | None) -> str:
    """Returns the arithmetic of a cell's convolutions: the snapshot's, else what its precision means on this device."""
    return snapshot.arithmetic if snapshot else device.resolve_precision(cell.precision)


def program_signature(cell: Cell, arithmetic: str) -> Signature:
    """Returns the signature of the program that trains a cell in float32 or bfloat16."""
    recipe, networks = RECIPES[cell.recipe], cell_networks(cell)
    standing = networks if cell.stale_epochs else ()
    return Signature(
        networks=networks,
        peers=cell_networks(cell.teacher) if cell.teacher else standing,
        arithmetic=arithmetic,
        deterministic=device.is_deterministic(),
        collaboration=Collaboration(
            method="mutual" if cell.method == "ce" and recipe.one_sided_ce else cell.method,
            pairs=cell.pairs,
            pull=cell.pull,
            temperature=cell.temperature,
            mean=recipe.mean_over_pairs and cell.method in ("l2", "l1"),
        ),
        label_smoothing=cell.label_smoothing,
        augment=cell.augment,
        unlabelled=cell.unlabelled,
        unlabelled_count=count_unlabelled(cell),
        recipe=recipe,
    )
