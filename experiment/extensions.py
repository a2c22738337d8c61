"""The settings beyond the paper: for each its neutral value, with which a cell is what it was before, and what it may be.

A neutral setting takes no part in a cell's id, so a new one renames no finished cell. A value that would change nothing is
refused, because two ids would name one training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiment.bounds import CORRECT, check_number
from experiment.errors import refuse

if TYPE_CHECKING:
    from experiment.cell import Cell

NEUTRAL: dict[str, Any] = {"pairs": "chain", "pull": (), "temperature": 1.0}
CHOICES = {"pairs": ("chain", "all")}
NUMBERS = ("temperature",)  # that may be written as whole numbers
LISTS = ("members", "pull")  # of which one list is one value, not an axis of a grid
ON_PREDICTIONS = ("ce", "mutual", "consensus")  # the methods that compare predictions, which a temperature softens


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


def _check_collaboration(cell: Cell) -> None:
    if cell.pairs != "chain" and (cell.method in ("single", "consensus") or len(cell.members) < 3):
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
    check_number("temperature", cell.temperature, above=0)
    if cell.temperature != 1 and cell.method not in ON_PREDICTIONS:
        allowed = f"1, or one of the methods that compare predictions ({', '.join(ON_PREDICTIONS)})"
        raise refuse(f"temperature of method {cell.method}", cell.temperature, allowed, "leave it out")
