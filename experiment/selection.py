"""Selections: the cells that ``--only`` keeps and ``[[exclude]]`` leaves out. Each value given must match something."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from experiment.cell import Cell
from experiment.errors import refuse
from experiment.extensions import LISTS
from experiment.members import MEMBERS

FIELDS = tuple(sorted(f.name for f in dataclasses.fields(Cell) if f.name != "data"))
DEFAULTS = {f.name: f.default for f in dataclasses.fields(Cell) if f.default is not dataclasses.MISSING}
DEFAULTS |= {"members": list(MEMBERS), "pull": []}  # as a grid file has them
MOST_SHOWN = 20  # values in an error

Row = Mapping[str, Any]  # the settings of a cell
Criteria = Mapping[str, Sequence[Any]]  # by field, the values of which a row must have one
Same = Callable[[Any, Any], bool]  # whether a row's value is the one that a criterion gives


class Idle(NamedTuple):
    """A value of a selection that matches no row, and the values that would match."""

    field: str
    value: Any
    there: str


def select_cells(cells: Sequence[Cell], choices: Iterable[str], grid: str) -> tuple[Cell, ...]:
    """Returns the cells that match every ``FIELD=VALUE[,VALUE...]`` of ``choices``.

    Raises:
        InvalidInput: a choice has another form, or one of its values matches no cell that the other choices keep.
    """
    given = _parse_choices(choices)
    rows = [{f: _shown_value(c, f) for f in given} for c in cells]
    if idle := _find_idle(rows, given, _is_written):
        choice = f"{idle.field}={','.join(given[idle.field])}"
        allowed = f"values each of which leaves a cell of grid {grid!r} ({idle.field}: {idle.there})"
        raise refuse("a selection", choice, allowed, f"correct or remove {idle.value!r} in --only")
    kept = tuple(c for c, keep in zip(cells, _matching(rows, given, _is_written), strict=True) if keep)
    if not kept:
        choice = " ".join(f"{f}={','.join(vs)}" for f, vs in given.items())
        raise refuse("the selection", choice, f"one that leaves a cell of grid {grid!r}", "see --plan for its cells")
    return kept


def leave_out(combinations: Sequence[Row], blocks: Iterable[Row]) -> list[Row]:
    """Returns the combinations of settings that no ``[[exclude]]`` block matches. A setting not given has its default.

    Raises:
        InvalidInput: a block is empty, or one of its values excludes no combination.
    """
    rows = [{**DEFAULTS, **combination} for combination in combinations]
    out = [False] * len(rows)
    for block in blocks:
        criteria = {field: list_values(field, value) for field, value in block.items()}
        if not criteria:
            raise refuse("an [[exclude]]", dict(block), "at least one setting", "give one or remove the block")
        if idle := _find_idle(rows, criteria, _is_same):
            allowed = f"a value that excludes a cell together with the rest of its block ({idle.there})"
            raise refuse(f"{idle.field} of an [[exclude]]", idle.value, allowed, "correct or remove it")
        matches = _matching(rows, criteria, _is_same)
        if not any(matches):
            raise refuse("an [[exclude]]", dict(block), "settings that some cell has together", "correct or remove it")
        out = [a or b for a, b in zip(out, matches, strict=True)]
    return [combination for combination, left_out in zip(combinations, out, strict=True) if not left_out]


def _shown_value(cell: Cell, field: str) -> Any:
    """Returns a field as a choice names it: a list is joined by +."""
    if field == "members":
        return cell.member_names
    return cell.describe(field) if field in ("pull", "teacher") else getattr(cell, field)


def _parse_choices(choices: Iterable[str]) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for choice in choices:
        field, equals, values = (part.strip() for part in choice.partition("="))
        if not equals or field not in FIELDS:
            allowed = f"FIELD=VALUE[,VALUE...] with FIELD one of {', '.join(FIELDS)}"
            raise refuse("a selection", choice, allowed, "correct --only")
        if field in given:
            raise refuse("a selection", choice, "each field once", f"write --only {field}=VALUE,VALUE")
        given[field] = [value.strip() for value in values.split(",")]
    return given


def _find_idle(rows: Sequence[Row], criteria: Criteria, same: Same) -> Idle | None:
    """Returns a value that matches no row which matches all other criteria; None if every value matches one."""
    for field, values in criteria.items():
        others = {f: vs for f, vs in criteria.items() if f != field}
        beside = [row for row, match in zip(rows, _matching(rows, others, same), strict=True) if match]
        there = _distinct(beside or rows, field)
        for value in values:
            if not any(same(found, value) for found in there.values()):
                return Idle(field, value, _shown(there.values()))
    return None


def _matching(rows: Sequence[Row], criteria: Criteria, same: Same) -> list[bool]:
    """Returns for each row whether it has one of the values of every criterion."""
    wanted = {
        field: {text for text, found in _distinct(rows, field).items() if any(same(found, v) for v in values)}
        for field, values in criteria.items()
    }
    return [all(repr(row.get(field)) in texts for field, texts in wanted.items()) for row in rows]


def _distinct(rows: Iterable[Row], field: str) -> dict[str, Any]:
    """Returns the different values of a field by their texts: lists cannot be keys."""
    return {repr(value): value for value in (row.get(field) for row in rows)}


def _shown(values: Iterable[Any]) -> str:
    texts = [value if isinstance(value, str) else repr(value) for value in values]
    return ", ".join(texts[:MOST_SHOWN]) + (", ..." if len(texts) > MOST_SHOWN else "")


def list_values(field: str, value: Any) -> Sequence[Any]:
    """Returns the values that a setting of a block stands for. One value of ``LISTS`` is a list itself."""
    several = isinstance(value, list) and (field not in LISTS or any(isinstance(v, list) for v in value))
    return value if several else [value]


def _is_same(found: Any, wanted: Any) -> bool:
    """Returns whether two settings give the same cell: 1 and 1.0 do, true and 1 do not."""
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


def _is_written(found: Any, wanted: str) -> bool:
    """Returns whether a text of the command line stands for a cell's value."""
    if not isinstance(found, (int, float)):
        return str(found) == wanted
    try:
        return float(wanted) == found
    except ValueError:
        return False
