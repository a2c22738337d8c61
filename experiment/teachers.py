"""Offline distillation: a student is drawn to the predictions of a cell that was trained before it (Hinton et al. 2015).

A teacher has the data set and the seed of its student. Students that shared one teacher would be no independent runs of
their method, and comparisons are paired over seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiment.errors import refuse

if TYPE_CHECKING:
    from experiment.cell import Cell

DISTILLATION = "distillation"  # the method
SHARED = ("dataset", "data", "seed")  # what a teacher has from its student


def teacher_settings(teacher: Cell) -> dict[str, Any]:
    """Returns the settings of a teacher as JSON values, without those that it shares with its student."""
    return {name: value for name, value in teacher.as_dict().items() if name not in SHARED}


def check_teacher(cell: Cell) -> None:
    """Checks that a cell has a teacher if its method needs one, and that it can learn from this one.

    Raises:
        InvalidInput: there is none, or one too many, or it has another data set or seed or saw the validation examples.
    """
    teacher = cell.teacher
    if cell.method == DISTILLATION and teacher is None:
        raise refuse("teacher of method distillation", None, "a table of settings or the id of a cell", "add one")
    if teacher is None:
        return
    if not isinstance(teacher, type(cell)):
        raise refuse("teacher", teacher, "a cell", "give its settings as a table")
    if cell.method != DISTILLATION:
        advice = "leave it out or use method distillation"
        raise refuse(f"teacher of method {cell.method}", teacher.id, "none", advice)
    if any(getattr(teacher, name) != getattr(cell, name) for name in SHARED):
        allowed = f"a cell of data set {cell.dataset} and seed {cell.seed}, as its student"
        raise refuse("teacher", teacher.id, allowed, "give it as a table of settings, which gets both from the student")
    if teacher.teacher is not None:
        raise refuse("teacher", teacher.id, "a cell that has no teacher itself", "use another method for it")
    if teacher.validation_examples < cell.validation_examples:
        what, allowed = "validation_examples of a teacher", f"at least its student's {cell.validation_examples}"
        raise refuse(what, teacher.validation_examples, allowed, "else it has seen what its student is validated with")


def describe_teacher(cell: Cell) -> str:
    """Returns the teacher's method and what else is different from its student: ``ce/alpha=1/epochs=60``; empty without one."""
    if cell.teacher is None:
        return ""
    own, student = cell.teacher.all_fields(), cell.all_fields()
    taken = (*SHARED, "method", "alpha", "teacher")
    other = [name for name in own if name not in taken and own[name] != student[name]]
    named = ["alpha", *other] if cell.teacher.alpha else other
    return "/".join([cell.teacher.method, *(f"{name}={_describe(name, own[name])}" for name in named)])


def _describe(name: str, value: Any) -> str:
    if name == "members":
        return "+".join(f"{m['name']}:{m['bricks']}x{m['blocks']}x{m['filters']}" for m in value)
    if isinstance(value, list):
        return "+".join(f"{each:g}" for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def add_teachers(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Returns the cells with the teachers that they lack, each before its first student."""
    there = {c.id for c in cells}
    found: list[Cell] = []
    for cell in cells:
        if cell.teacher and cell.teacher.id not in there:
            there.add(cell.teacher.id)
            found.append(cell.teacher)
        found.append(cell)
    return tuple(found)


def find_teacher(given: object, student: Mapping[str, Any], cells: Iterable[Cell]) -> Cell:
    """Returns the cell of a grid that a student names by its id.

    Raises:
        InvalidInput: the grid has no such cell of the student's data set and seed.
    """
    own = student.get("dataset"), student.get("seed", 0)
    for cell in cells:
        if cell.id == given and (cell.dataset, cell.seed) == own:
            return cell
    allowed = f"a table of settings, or the id of a cell of this grid with data set {own[0]} and seed {own[1]}"
    raise refuse("teacher", given, allowed, "write { method = 'single' }, or add that cell: if it is done it stays")
