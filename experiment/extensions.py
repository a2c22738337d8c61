"""The settings beyond the paper: for each its neutral value, with which a cell is what it was before, and what it may be.

A neutral setting takes no part in a cell's id, so a new one renames no finished cell. A value that would change nothing is
refused, because two ids would name one training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiment.bounds import CORRECT, check_count, check_number
from experiment.errors import refuse
from experiment.teachers import DISTILLATION, check_teacher

if TYPE_CHECKING:
    from experiment.cell import Cell

NEUTRAL: dict[str, Any] = {
    "pairs": "chain",
    "pull": (),
    "temperature": 1.0,
    "alpha_plan": "constant",
    "stale_epochs": 0,
    "label_smoothing": 0.0,
    "augment": "none",
    "unlabelled": "none",
    "unlabelled_share": 0.0,
    "validation_examples": 0,
    "recipe": "paper",
    "teacher": None,
}
CHOICES = {  # the first is neutral
    "pairs": ("chain", "all"),
    "alpha_plan": ("constant", "rise", "fall", "late"),
    "augment": ("none", "shift", "shift+flip"),
    "unlabelled": ("none", "noise", "rest"),
    "recipe": ("paper", "program"),
}
NUMBERS = ("temperature", "label_smoothing", "unlabelled_share")  # that may be written as whole numbers
LISTS = ("members", "pull")  # of which one list is one value, not an axis of a grid
PROGRAM_METHODS = ("single", "ce", "l2", "l1")
LARGEST_SHARE = 8.0  # of unlabelled images to a mini-batch
ON_PREDICTIONS = (
    "ce",
    "mutual",
    "consensus",
    DISTILLATION,
)  # the methods that compare predictions, which a temperature softens


def describe_setting(value: object) -> str:
    """Returns a setting as ``--only`` takes it and tables show it: ``1+0`` for the list (1.0, 0.0)."""
    if isinstance(value, tuple):
        return "+".join(map(describe_setting, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def check_extensions(cell: Cell) -> None:
    """Checks the settings beyond the paper of a cell whose other settings are right.

    Raises:
        InvalidInput: one is impossible, or has no effect beside the others.
    """
    _check_collaboration(cell)
    check_teacher(cell)
    _check_validation(cell)
    _check_unlabelled(cell)
    check_number("label_smoothing", cell.label_smoothing, at_least=0, below=1)
    if cell.alpha_plan != "constant" and (cell.method == "single" or cell.epochs == 1):
        what, allowed = (
            f"alpha_plan of method {cell.method} in {cell.epochs} epochs",
            "constant, or a method with alpha",
        )
        raise refuse(what, cell.alpha_plan, f"{allowed} and 2 epochs or more", "leave it out")
    if cell.recipe == "program" and (cell.head != "plain" or cell.method not in PROGRAM_METHODS):
        what, allowed = (
            "recipe of a cell of head {} and method {}",
            f"paper, or head plain and {', '.join(PROGRAM_METHODS)}",
        )
        raise refuse(what.format(cell.head, cell.method), cell.recipe, allowed, CORRECT)


def count_trained(cell: Cell) -> int:
    """Returns the number of examples that a cell trains on, where the data set has its usual size."""
    return cell.train_examples or cell.info.train - cell.validation_examples


def count_unlabelled(cell: Cell) -> int:
    """Returns the number of images without labels that join a mini-batch."""
    return round(cell.unlabelled_share * cell.batch_size)


def _check_collaboration(cell: Cell) -> None:
    if cell.pairs != "chain" and (cell.method in ("single", "consensus", DISTILLATION) or len(cell.members) < 3):
        allowed, advice = "chain, or a method of pairs (ce, l2, l1, mutual) with 3 members or more", "leave it out"
        raise refuse(f"pairs of method {cell.method} with {len(cell.members)} members", cell.pairs, allowed, advice)
    if not isinstance(cell.pull, tuple):
        raise refuse("pull", cell.pull, "a list of one number for each member", CORRECT)
    if cell.pull:
        if cell.method == "single":
            raise refuse("pull of method single", list(cell.pull), "none", "leave it out or choose another method")
        if len(cell.pull) != len(cell.members):
            allowed = f"one number for each of the {len(cell.members)} members"
            raise refuse("pull", list(cell.pull), allowed, CORRECT)
        for member, weight in zip(cell.members, cell.pull, strict=True):
            check_number(f"pull of member {member.name}", weight, at_least=0)
        if not any(cell.pull):
            raise refuse("pull", list(cell.pull), "a number above 0 for some member", "use method single")
    check_count("stale_epochs", cell.stale_epochs, 0, cell.epochs - 1)
    if cell.stale_epochs and cell.method in ("single", DISTILLATION):
        advice = "leave it out or choose another method"
        raise refuse(f"stale_epochs of method {cell.method}", cell.stale_epochs, "0", advice)
    check_number("temperature", cell.temperature, above=0)
    if cell.temperature != 1 and cell.method not in ON_PREDICTIONS:
        allowed = f"1, or one of the methods that compare predictions ({', '.join(ON_PREDICTIONS)})"
        raise refuse(f"temperature of method {cell.method}", cell.temperature, allowed, "leave it out")


def _check_validation(cell: Cell) -> None:
    """Checks that the examples to train on and those that are kept apart do not overlap."""
    left = cell.info.train - max(cell.train_examples, cell.batch_size)
    check_count(f"validation_examples of {cell.dataset} beside those to train on", cell.validation_examples, 0, left)


def _check_unlabelled(cell: Cell) -> None:
    check_number("unlabelled_share", cell.unlabelled_share, at_least=0, at_most=LARGEST_SHARE)
    if cell.unlabelled == "none":
        if cell.unlabelled_share:
            what, advice = "unlabelled_share without unlabelled images", "set unlabelled to noise or rest"
            raise refuse(what, cell.unlabelled_share, "0", advice)
        return
    if cell.method == "single":
        advice = "leave it out or choose another method"
        raise refuse("unlabelled of method single", cell.unlabelled, "none", advice)
    if not count_unlabelled(cell):
        what = f"unlabelled_share with a batch_size of {cell.batch_size}"
        allowed = f"a share that makes 1 image or more, up to {LARGEST_SHARE:g}"
        raise refuse(what, cell.unlabelled_share, allowed, "set it to 1 for as many images as a batch has")
    train = cell.info.train - cell.validation_examples
    if cell.unlabelled == "rest" and cell.train_examples in (0, train):
        what, allowed = f"train_examples beside unlabelled images of {cell.dataset}", f"1 to {train - 1}"
        raise refuse(what, cell.train_examples, allowed, "train on fewer: the rest of them are the unlabelled ones")
