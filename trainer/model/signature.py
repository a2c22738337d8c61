"""What a training step is compiled for: the settings of a cell that change its graph."""

from __future__ import annotations

from dataclasses import dataclass

from experiment.cell import Cell, Member
from experiment.extensions import count_unlabelled
from trainer.model.costs import Collaboration
from trainer.model.device import is_deterministic
from trainer.model.recipe import RECIPES, Recipe


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The settings that a program is compiled for.

    Attributes:
        deterministic: whether operations are: TensorFlow then traces others, with other last bits.
        stale_peers: whether members are compared with peers as they were some time ago.
        unlabelled: where the images without labels come from; ``none``: there are none.
        unlabelled_count: how many of them a step has.
    """

    members: tuple[Member, ...]
    channels: int
    classes: int
    head: str
    arithmetic: str
    deterministic: bool
    collaboration: Collaboration
    stale_peers: bool
    label_smoothing: float
    augment: str
    unlabelled: str
    unlabelled_count: int
    recipe: Recipe


def program_signature(cell: Cell, arithmetic: str) -> Signature:
    """Returns the signature of the program that trains a cell in float32 or bfloat16."""
    recipe = RECIPES[cell.recipe]
    return Signature(
        members=cell.members,
        channels=cell.info.shape[2],
        classes=cell.info.classes,
        head=cell.head,
        arithmetic=arithmetic,
        deterministic=is_deterministic(),
        collaboration=Collaboration(
            method="mutual" if cell.method == "ce" and recipe.one_sided_ce else cell.method,
            pairs=cell.pairs,
            pull=cell.pull,
            temperature=cell.temperature,
            mean=recipe.mean_over_pairs and cell.method in ("l2", "l1"),
        ),
        stale_peers=cell.stale_epochs > 0,
        label_smoothing=cell.label_smoothing,
        augment=cell.augment,
        unlabelled=cell.unlabelled,
        unlabelled_count=count_unlabelled(cell),
        recipe=recipe,
    )
