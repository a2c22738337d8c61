"""Writes cells as a grid file, which ``load_grid`` reads back as the same cells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from experiment.cell import Cell
from experiment.errors import refuse
from experiment.members import Member
from experiment.own_data import OwnData
from experiment.teachers import add_teachers

Block = dict[str, Any]


def format_grid(cells: Sequence[Cell], remarks: Iterable[str] = ()) -> str:
    """Returns the TOML text of a grid of these cells, in blocks of products, after the remarks as comments.

    Raises:
        InvalidInput: two cells have members of one name and different shapes, which one file cannot define.
    """
    cells = add_teachers(cells)
    members = _collect_members(cells)
    blocks = [block for group in _group_by_settings(cells) for block in _make_blocks(*group)]
    common = {k: v for k, v in blocks[0].items() if all(k in b and b[k] == v for b in blocks)}
    lines = [*(f"# {remark}" for remark in remarks), f"expect = {len(cells)}", "", "[base]", *_settings(common)]
    for name, own in _collect_data(cells).items():
        lines += ["", f"[data.{name}]  # its store has the images", *_settings(own.as_dict())]
    for member in members:
        lines += ["", f"[member.{member.name}]", *_settings({k: v for k, v in vars(member).items() if k != "name"})]
    for block in blocks:
        lines += ["", "[[product]]", *_settings({k: v for k, v in block.items() if k not in common})]
    return "\n".join(lines) + "\n"


def _settings(values: Block) -> list[str]:
    return [f"{name} = {_to_toml(value)}" for name, value in values.items()]


def _to_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(_settings(value)) + " }"
    return json.dumps(value)


def _collect_members(cells: Sequence[Cell]) -> list[Member]:
    found: dict[str, Member] = {}
    everyone = (m for c in cells for each in (c, c.teacher) if each for m in each.members)
    for member in dict.fromkeys(everyone):
        if found.setdefault(member.name, member) != member:
            allowed = "one shape for each name"
            raise refuse("a member of the grid file", member.name, allowed, "write the grid by hand, in two files")
    return [found[name] for name in sorted(found)]


def _collect_data(cells: Sequence[Cell]) -> dict[str, OwnData]:
    found: dict[str, OwnData] = {}
    for cell in cells:
        if cell.data and found.setdefault(cell.dataset, cell.data) != cell.data:
            raise refuse("a data set of the grid file", cell.dataset, "one file for each name", "write it in two files")
    return found


def _group_by_settings(cells: Sequence[Cell]) -> Iterable[tuple[Block, list[tuple[Cell, tuple[int, ...]]]]]:
    """Yields the cells that are alike in all but method, alpha and seed, each with its seeds."""
    seeds: dict[Cell, list[int]] = {}
    for cell in cells:
        seeds.setdefault(cell.with_seed(0), []).append(cell.seed)
    groups: dict[str, list[tuple[Cell, tuple[int, ...]]]] = {}
    for bare, own in seeds.items():
        groups.setdefault(json.dumps(_shared_settings(bare), sort_keys=True), []).append((bare, tuple(sorted(own))))
    for group in groups.values():
        yield _shared_settings(group[0][0]), group


def _shared_settings(cell: Cell) -> Block:
    kept = {k: v for k, v in cell.as_dict().items() if k not in ("method", "alpha", "seed", "members", "data")}
    if cell.teacher:
        kept["teacher"] = {**kept["teacher"], "members": [m.name for m in cell.teacher.members]}
    return {**kept, "members": [m.name for m in cell.members]}


def _make_blocks(shared: Block, cells: Sequence[tuple[Cell, tuple[int, ...]]]) -> list[Block]:
    """Returns one product for the methods that have the same alphas with the same seeds."""
    alphas: dict[tuple[str, tuple[int, ...]], list[float]] = {}
    for cell, seeds in cells:
        alphas.setdefault((cell.method, seeds), []).append(cell.alpha)
    methods: dict[tuple[tuple[float, ...], tuple[int, ...]], list[str]] = {}
    for (method, seeds), own in alphas.items():
        methods.setdefault((tuple(own), seeds), []).append(method)
    return [
        {**shared, "method": together, "alpha": list(own), "seed": list(seeds)}
        for (own, seeds), together in methods.items()
    ]
