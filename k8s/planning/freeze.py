"""Freezes a grid into the store as a run, once: the same command again finds it as it was."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from experiment import keys
from experiment.errors import refuse
from experiment.grid import Grid
from experiment.records import utc_now
from experiment.run import Run, read_run
from experiment.store import Store


def freeze(store: Store, run: str, grid: Grid, provenance: Mapping[str, str]) -> Run:
    """The run as it stands in the store: written now, or by an earlier launch of the same cells.

    Raises:
        InvalidInput: the store has a run of this name with other cells, or its grid.json is damaged.
    """
    mine = Run(name=run, grid=grid, provenance=provenance)
    if store.put_once(keys.grid(run), mine.to_bytes(), uuid.uuid4().hex):
        return mine
    there = read_run(store, run)
    if {c.id for c in there.grid.cells} != {c.id for c in grid.cells}:
        raise refuse(
            f"the grid of run {run}",
            f"{grid.name} with {len(grid.cells)} cells",
            f"the cells that it was launched with ({there.grid.name}, {len(there.grid.cells)} cells)",
            "choose another --run, or leave --run out",
        )
    return there


def provenance(image: str = "") -> dict[str, str]:
    """Who made this launch: git commit and image, where known, and the time (UTC, ISO 8601)."""
    return {"git_commit": git_commit(), "image": image, "time": utc_now()}


def git_commit() -> str:
    """The commit of the suite's checkout, with ``-dirty`` if files differ from it; GIT_COMMIT outranks it; empty if unknown."""
    if "GIT_COMMIT" in os.environ:
        return os.environ["GIT_COMMIT"]
    here = Path(__file__).parent.parent.parent
    if not (here / ".git").exists():  # an installed copy inside somebody else's checkout
        return ""
    command = ["git", "-C", str(here), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
