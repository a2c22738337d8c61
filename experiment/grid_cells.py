"""The cells that the settings of a grid file make, with their members, data and teachers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiment.cell import Cell
from experiment.errors import refuse
from experiment.extensions import NEUTRAL
from experiment.grid_data import OwnSource
from experiment.members import ENSEMBLE, MEMBERS, Member
from experiment.teachers import SHARED, find_teacher, teacher_settings

Settings = Mapping[str, Any]  # of a cell, as a grid file gives them
OF_STUDENT = (*SHARED, *NEUTRAL, "method", "alpha")  # what a teacher's table does not take over


def make_cells(
    kept: Sequence[Settings], members: Mapping[str, Member], own: Mapping[str, OwnSource]
) -> tuple[Cell, ...]:
    """Returns the cells of these settings; those that name a teacher by its id are made when all others are there.

    Raises:
        InvalidInput: a cell is impossible, or names a member or a teacher that is not there.
    """
    made: dict[int, Cell] = {}
    for by_id in (False, True):
        for i, settings in enumerate(kept):
            if isinstance(settings.get("teacher"), str) == by_id:
                made[i] = _make_cell(settings, members, own, made.values())
    return tuple(made[i] for i in range(len(kept)))


def _make_cell(
    settings: Settings, members: Mapping[str, Member], own: Mapping[str, OwnSource], others: Iterable[Cell]
) -> Cell:
    source = own.get(str(settings.get("dataset")))
    data = {"data": source.data.as_dict()} if source else {}
    chosen = _find_members(settings.get("members", list(MEMBERS)), members)
    teacher = settings.get("teacher")
    if isinstance(teacher, Mapping):
        teacher = complete_teacher(teacher, settings)
        teacher = {**teacher, "members": _find_members(teacher.get("members", list(MEMBERS)), members)}
    elif teacher is not None:
        teacher = teacher_settings(find_teacher(teacher, settings, others))
    return Cell.from_dict({**settings, "members": chosen, **data, "teacher": teacher})


def _find_members(names: object, members: Mapping[str, Member]) -> list[dict[str, Any]]:
    if not isinstance(names, list):
        raise refuse("members", names, "a list of members' names", "write it in square brackets")
    for name in names:
        if not isinstance(name, str) or name not in members:
            raise refuse("a member", name, ", ".join(members), "name a known one or define it as [member.NAME]")
    folded = [name.lower() for name in (*names, ENSEMBLE)]
    if len(set(names)) == len(names) and len(set(folded)) < len(folded):  # Cell names members that are the same
        allowed = f"names that differ from one another and from {ENSEMBLE!r} in more than upper and lower case"
        raise refuse("members", names, allowed, "rename one: some file systems keep one file for both")
    return [dataclasses.asdict(members[name]) for name in names]


def complete_teacher(table: Mapping[str, Any], student: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all settings of a teacher as a grid file gives them; the paper's that its table leaves out are its student's.

    Raises:
        InvalidInput: the table gives what a teacher has from its student.
    """
    for name in (*SHARED, "teacher"):
        if name in table:
            allowed = "none" if name == "teacher" else "none: a teacher has its student's"
            raise refuse(f"{name} of a teacher", table[name], allowed, "leave it out")
    usual = {name: value for name, value in student.items() if name not in OF_STUDENT}
    return {"method": "single", **usual, **table}
