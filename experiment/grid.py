"""Grids: named lists of cells, read from TOML files. A selection narrows a grid, seeds multiply it."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import itertools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiment.cell import MEMBERS, Cell, Member, from_fields
from experiment.errors import InvalidInput, refuse
from experiment.grid_form import check_form

BUILT_IN = Path(__file__).parent / "grids"


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A named list of different cells, in the order in which they are trained."""

    name: str
    cells: tuple[Cell, ...]

    def __post_init__(self) -> None:
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

    def with_seeds(self, count: int) -> Grid:
        """Returns the grid in which the seeds 0 to ``count`` - 1 replace the seed of every cell."""
        if count < 1:
            raise refuse("the number of seeds", count, "at least 1", "give --seeds a positive number")
        bare = dict.fromkeys(dataclasses.replace(c, seed=0) for c in self.cells)
        return Grid(name=self.name, cells=tuple(dataclasses.replace(c, seed=s) for s in range(count) for c in bare))

    def only(self, choices: Iterable[str]) -> Grid:
        """Returns the grid of the cells that match every ``FIELD=VALUE[,VALUE...]`` of ``choices``."""
        cells = self.cells
        for choice in choices:
            name, equals, values = choice.partition("=")
            allowed = sorted(f.name for f in dataclasses.fields(Cell) if f.name != "members")
            if not equals or name not in allowed:
                raise refuse(
                    "a selection",
                    choice,
                    f"FIELD=VALUE[,VALUE...] with FIELD one of {', '.join(allowed)}",
                    "correct --only",
                )
            wanted = values.split(",")
            cells = tuple(c for c in cells if any(_matches(getattr(c, name), w) for w in wanted))
        if not cells:
            raise refuse(
                "the selection",
                " ".join(choices),
                f"one that leaves a cell of grid {self.name!r}",
                "see --plan for its cells",
            )
        return Grid(name=self.name, cells=cells)


def _matches(value: object, wanted: str) -> bool:
    if isinstance(value, (int, float)):
        try:
            return float(wanted) == value
        except ValueError:
            return False
    return str(value) == wanted


def built_in() -> list[str]:
    """Returns the names of the grids that come with the suite."""
    return sorted(p.stem for p in BUILT_IN.glob("*.toml"))


def load_grid(name: str) -> Grid:
    """Returns the built-in grid of that name, or the user's own grid if the name is the path of a ``.toml`` file.

    Raises:
        InvalidInput: there is no such grid, or its file is not a grid.
    """
    own = name.endswith(".toml")
    path = Path(name) if own else BUILT_IN / f"{name}.toml"
    if not own and name not in built_in():
        near = difflib.get_close_matches(name, built_in(), 1)
        raise refuse(
            "the grid",
            name,
            f"{', '.join(built_in())} or the path of a .toml file",
            f"did you mean {near[0]!r}?" if near else "choose one",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise refuse("the grid file", name, "a readable UTF-8 TOML file", f"check the path ({error})") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{path} is not TOML: {error}; correct that place") from error
    return parse_grid(re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "grid", table)


def parse_grid(name: str, table: Mapping[str, Any]) -> Grid:
    """Returns the grid that a TOML table describes.

    Raises:
        InvalidInput: the table has another form, or a cell is impossible.
    """
    check_form(name, table)
    members = {**MEMBERS, **{k: from_fields(Member, {"name": k, **v}) for k, v in table.get("member", {}).items()}}
    excluded = [dict(e) for e in table.get("exclude", ())]
    cells = []
    for block in table.get("product", ()):
        for choice in _multiply({**table.get("base", {}), **block}):
            own = table.get("dataset", {}).get(str(choice.get("dataset")), {})
            fields = {**choice, **{k: v for k, v in own.items() if k not in block}}
            if not any(all(_listed(fields.get(k), v) for k, v in e.items()) for e in excluded):
                chosen = _members(fields.get("members", ["ST", "M"]), members)
                cells.append(Cell.from_dict({**fields, "members": chosen}))
    expected = table.get("expect", len(cells))
    if expected != len(cells):
        raise refuse(
            f"the number of cells of grid {name!r}",
            len(cells),
            f"expect = {expected}",
            "correct the grid or its expect",
        )
    return Grid(name=name, cells=tuple(cells))


def _multiply(settings: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Returns every combination of the values that are lists. ``members`` varies if it holds lists."""
    axes: list[Sequence[Any]] = []
    for key, value in settings.items():
        nested = isinstance(value, list) and (key != "members" or any(isinstance(v, list) for v in value))
        axes.append(value if nested else [value])
    return (dict(zip(settings, values, strict=True)) for values in itertools.product(*axes))


def _listed(value: object, wanted: object) -> bool:
    return value in wanted if isinstance(wanted, list) and not isinstance(value, list) else value == wanted


def _members(names: object, members: Mapping[str, Member]) -> list[dict[str, Any]]:
    if not isinstance(names, list):
        raise refuse("members", names, "a list of members' names", "write it in square brackets")
    for name in names:
        if not isinstance(name, str) or name not in members:
            raise refuse("a member", name, ", ".join(members), "name a known one or define it as [member.NAME]")
    return [dataclasses.asdict(members[name]) for name in names]
