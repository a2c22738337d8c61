"""Grids: named lists of cells, read from TOML files. A selection narrows a grid, seeds multiply it."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiment.cell import Cell
from experiment.errors import InvalidInput, refuse
from experiment.fields import from_fields
from experiment.grid_cells import make_cells
from experiment.grid_data import OwnSource
from experiment.grid_form import check_form
from experiment.members import MEMBERS, Member
from experiment.selection import leave_out, list_values, select_cells
from experiment.teachers import add_teachers
from experiment.toml_file import read_toml

MOST_CELLS = 100_000  # more than anyone trains; before they are made, since each takes memory
BUILT_IN = Path(__file__).parent / "grids"


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A named list of different cells, in the order in which they are trained. It holds the teachers of its students, too.

    Attributes:
        own_data: the user's own data sets by name, with the places of their files, where a grid file was read.
    """

    name: str
    cells: tuple[Cell, ...]
    own_data: Mapping[str, OwnSource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", add_teachers(self.cells))
        if not self.cells:
            advice = "add a [[product]] or widen the selection"
            raise InvalidInput(f"grid {self.name!r} has no cell; allowed: at least 1; {advice}")
        seen: set[str] = set()
        for cell in self.cells:
            if cell.id in seen:
                given = f"grid {self.name!r} holds {cell.id} twice"
                raise InvalidInput(f"{given}; allowed: each cell once; remove one of them")
            seen.add(cell.id)

    @property
    def run(self) -> str:
        """The default name of a run of this grid. The same cells give the same name, other cells another."""
        digest = hashlib.sha256("\n".join(c.id for c in self.cells).encode()).hexdigest()
        return f"{self.name[:23].rstrip('-')}-{digest[:6]}"

    @property
    def teachers(self) -> dict[int, int]:
        """The index of each student's teacher, by the student's index."""
        places = {c.id: i for i, c in enumerate(self.cells)}
        return {i: places[c.teacher.id] for i, c in enumerate(self.cells) if c.teacher}

    def with_seeds(self, count: int) -> Grid:
        """Returns the grid in which the seeds 0 to ``count`` - 1 replace the seed of every cell."""
        if count < 1:
            raise refuse("the number of seeds", count, "at least 1", "give --seeds a positive number")
        bare = dict.fromkeys(c.with_seed(0) for c in self.cells)
        _check_size(self.name, count * len(bare))
        cells = tuple(c.with_seed(s) for s in range(count) for c in bare)
        return dataclasses.replace(self, cells=cells)

    def only(self, choices: Iterable[str]) -> Grid:
        """Returns the grid of the cells that match every ``FIELD=VALUE[,VALUE...]`` of ``choices``.

        Raises:
            InvalidInput: a choice has another form, or one of its values matches no cell that the other choices keep.
        """
        return dataclasses.replace(self, cells=select_cells(self.cells, choices, self.name))


def built_in() -> list[str]:
    """Returns the names of the grids that come with the suite."""
    return sorted(p.stem for p in BUILT_IN.glob("*.toml"))


def load_grid(name: str) -> Grid:
    """Returns the built-in grid of that name, or the user's own grid if the name is the path of a ``.toml`` file.

    Raises:
        InvalidInput: there is no such grid, or its file is not a grid.
    """
    if name.lower().endswith(".toml"):
        table = read_toml(Path(name), what="the grid file", advice="check the path")
        slug = re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower())
        return parse_grid(slug.strip("-") or "grid", table, Path(name).parent)
    if name not in built_in():
        near = difflib.get_close_matches(name, built_in(), 1)
        allowed = f"{', '.join(built_in())} or the path of a .toml file"
        raise refuse("the grid", name, allowed, f"did you mean {near[0]!r}?" if near else "choose one")
    return parse_grid(
        name, read_toml(BUILT_IN / f"{name}.toml", what="the grid file", advice="install the suite again")
    )


def parse_grid(name: str, table: Mapping[str, Any], folder: Path | None = None) -> Grid:
    """Returns the grid that a TOML table describes.

    Args:
        folder: of the grid file.

    Raises:
        InvalidInput: the table has another form, a part of it has no effect, or a cell is impossible.
    """
    check_form(name, table)
    members = {**MEMBERS, **{k: from_fields(Member, {"name": k, **v}) for k, v in table.get("member", {}).items()}}
    blocks = [{**table.get("base", {}), **block} for block in table.get("product", ())]
    _check_size(name, sum(math.prod(map(len, _axes(b))) for b in blocks))
    kept = leave_out(_combine(table), table.get("exclude", ()))
    own = {n: OwnSource.parse(n, t, folder) for n, t in table.get("data", {}).items()}
    grid = Grid(name=name, cells=make_cells(kept, members, own), own_data=own)
    expected = table.get("expect", len(grid.cells))
    if isinstance(expected, bool) or expected != len(grid.cells):
        what = f"the number of cells of grid {name!r}"
        raise refuse(what, len(grid.cells), f"expect = {expected!r}", "correct the grid or its expect")
    return grid


def _combine(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the settings of every cell. Those of its block outrank those of its data set, which outrank the base."""
    combinations = []
    for block in table.get("product", ()):
        for choice in _multiply({**table.get("base", {}), **block}):
            own = table.get("dataset", {}).get(str(choice.get("dataset")), {})
            combinations.append({**choice, **{k: v for k, v in own.items() if k not in block}})
    _check_overrides(table, combinations)
    return combinations


def _check_overrides(table: Mapping[str, Any], combinations: Sequence[Mapping[str, Any]]) -> None:
    """Checks that every setting of a ``[dataset.NAME]`` reaches some cell, where the grid has cells of that data set.

    A table of a data set or member that the grid does not use is allowed, because it only defines settings.
    """
    there = {str(c.get("dataset")) for c in combinations}
    for name, own in table.get("dataset", {}).items():
        for key, value in own.items():
            blocks = (b for b in table.get("product", ()) if key not in b)
            if name in there and not any(_has_dataset(b, table.get("base", {}), name) for b in blocks):
                what, allowed = f"{key} of [dataset.{name}]", f"none, as every [[product]] of {name} gives its own"
                raise refuse(what, value, allowed, "remove one of the two")


def _has_dataset(block: Mapping[str, Any], base: Mapping[str, Any], name: str) -> bool:
    chosen = block.get("dataset", base.get("dataset"))
    return name in chosen if isinstance(chosen, list) else name == chosen


def _check_size(name: str, cells: int) -> None:
    if cells > MOST_CELLS:
        what, advice = f"the number of cells of grid {name!r}", "give fewer values or seeds, or launch it in parts"
        raise refuse(what, cells, f"up to {MOST_CELLS:,}", advice)


def _multiply(settings: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Returns every combination of the values that are lists."""
    return (dict(zip(settings, values, strict=True)) for values in itertools.product(*_axes(settings)))


def _axes(settings: Mapping[str, Any]) -> list[Sequence[Any]]:
    """Returns the values of each setting: of a list each, of a setting that is a list itself if it holds lists."""
    axes: list[Sequence[Any]] = []
    for key, value in settings.items():
        axes.append(list_values(key, value))
    return axes
