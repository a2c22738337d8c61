"""A run is one launch of a grid, frozen in ``runs/RUN/grid.json``. Pods and reports read only that file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiment import keys, urls
from experiment.cell import Cell
from experiment.errors import InvalidInput, NotFound, refuse
from experiment.fields import check_fields
from experiment.grid import Grid
from experiment.sealed import SealedForm
from experiment.store import Store, open_store

ADVICE = "restore it, or launch the grid again under another --run"
GRID_FORM = SealedForm(what="a frozen grid", schema=1, advice=ADVICE)
RUN_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")
MOST_LISTED = 9  # runs in an error


@dataclass(frozen=True, kw_only=True)
class Run:
    """A launched grid as ``runs/RUN/grid.json`` holds it.

    Attributes:
        name: name of the run, unique in its store.
        provenance: git commit, image and time of the launch.
    """

    name: str
    grid: Grid
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_run_name(self.name)

    def to_bytes(self) -> bytes:
        """Returns the run as sealed JSON."""
        cells = [{"id": c.id, **c.as_dict()} for c in self.grid.cells]
        body = {"run": self.name, "grid": self.grid.name, "provenance": dict(self.provenance), "cells": cells}
        return GRID_FORM.to_bytes(body)

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Run:
        """Returns the run that ``to_bytes`` wrote; ``source`` names the object in errors.

        Raises:
            InvalidInput: the file is damaged, of another schema version, or holds cells that have other ids today.
        """

        def build(body: Mapping[str, Any]) -> Run:
            grid = Grid(name=body["grid"], cells=tuple(_cell_of(entry, source) for entry in body["cells"]))
            run = cls(name=body["run"], grid=grid, provenance=body["provenance"])
            check_fields(Grid, vars(grid), source)
            check_fields(cls, vars(run), source)
            return run

        return GRID_FORM.parse(data, source, build)


def check_run_name(name: str) -> None:
    """Checks that a run can have this name.

    Raises:
        InvalidInput: it cannot.
    """
    if not RUN_NAME.fullmatch(name):
        allowed = "up to 30 of a-z, 0-9 and '-', with no '-' at either end"
        raise refuse("the run's name", name, allowed, "choose another --run")


def _cell_of(entry: Mapping[str, object], source: str) -> Cell:
    cell = Cell.from_dict({k: v for k, v in entry.items() if k != "id"})
    if cell.id != entry["id"]:
        advice = "use the version of the suite that launched it, or launch the grid again"
        raise InvalidInput(f"{source} names cell {entry['id']}, which this version calls {cell.id}; {advice}")
    return cell


def read_run(store: Store, name: str) -> Run:
    """Returns the run as the launcher froze it.

    Raises:
        NotFound: the store has no such run.
        InvalidInput: its grid.json is damaged or of another version.
    """
    key = keys.grid(name)
    return Run.from_bytes(store.read(key), f"{store.url}/{key}")


def open_run(url: str) -> tuple[Store, Run]:
    """Returns the store and the run at ``STORE/runs/RUN``.

    Raises:
        InvalidInput: the URL has another form, there is no such store or run, or its grid.json is damaged.
    """
    place, name = urls.split_run_url(url)
    store = open_store(place)
    try:
        return store, read_run(store, name)
    except NotFound as error:
        known = sorted(run for key in store.list(keys.RUNS) if (run := keys.run_of(key)))
        allowed = ", ".join(known[-MOST_LISTED:]) or "none: the store has no run"
        raise refuse("the run", name, allowed, "correct --run, or launch a grid") from error
