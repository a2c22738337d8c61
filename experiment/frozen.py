"""A launched grid, frozen into ``runs/RUN/grid.json``: pods and reports read it, no later code re-interprets it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from experiment import keys
from experiment.cell import Cell, refuse
from experiment.errors import InvalidInput
from experiment.grid import Grid
from experiment.store import Store

GRID_SCHEMA = 1
RUN_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A launched grid as it stands in ``runs/RUN/grid.json``: no later code re-interprets it.

    Attributes:
        provenance: git commit, image and time of the launch, as the launcher gave them.
    """

    run: str
    grid: Grid
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not RUN_NAME.fullmatch(self.run):
            raise refuse(
                "the run's name",
                self.run,
                "up to 30 of a-z, 0-9 and '-', with no '-' at either end",
                "choose another --run",
            )

    def to_bytes(self) -> bytes:
        """The run as JSON. The digest makes damage to any part of it visible."""
        body = {
            "schema_version": GRID_SCHEMA,
            "run": self.run,
            "grid": self.grid.name,
            "provenance": dict(self.provenance),
            "cells": [{"id": c.id, **c.as_dict()} for c in self.grid.cells],
        }
        return json.dumps({**body, "sha256": _digest(body)}, indent=1, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Frozen:
        """The inverse of ``to_bytes``; ``source`` names the object in errors.

        Raises:
            InvalidInput: damaged, of another schema version, or with cells whose ids this version computes otherwise.
        """
        advice = "restore it, or launch the grid again under another --run"
        try:
            body = json.loads(data)
            digest = body.pop("sha256")
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise InvalidInput(
                f"{source} is not a frozen grid ({error}); allowed: what a launch wrote; {advice}"
            ) from error
        if digest != _digest(body):
            raise InvalidInput(f"{source} is damaged: its content does not have its sha256; {advice}")
        if body["schema_version"] != GRID_SCHEMA:
            raise refuse(
                f"the schema of {source}",
                body["schema_version"],
                str(GRID_SCHEMA),
                "use the version of the suite that launched it",
            )
        cells = []
        for entry in body["cells"]:
            cell = Cell.from_dict({k: v for k, v in entry.items() if k != "id"})
            if cell.id != entry["id"]:
                raise InvalidInput(f"{source} names cell {entry['id']}, which this version calls {cell.id}; "
                                   "use the version of the suite that launched it, or launch the grid again")  # fmt: skip
            cells.append(cell)
        return cls(run=body["run"], grid=Grid(name=body["grid"], cells=tuple(cells)), provenance=body["provenance"])


def _digest(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_run(store: Store, run: str) -> Frozen:
    """The run as launched.

    Raises:
        NotFound: the store has no such run.
        InvalidInput: its grid.json is damaged or of another version.
    """
    key = keys.grid(run)
    return Frozen.from_bytes(store.read(key), f"{store.url}/{key}")
