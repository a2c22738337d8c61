"""Freezes a grid into the store as a run, once: a launch of the same cells finds the run as it was."""

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


def freeze_grid(store: Store, run_name: str, grid: Grid, provenance: Mapping[str, str]) -> Run:
    """Returns the run as the store has it: written now, or by an earlier launch of the same cells.

    Raises:
        InvalidInput: the store has a run of this name with other cells, or its grid.json is damaged.
    """
    mine = Run(name=run_name, grid=grid, provenance=provenance)
    if store.put_once(keys.grid(run_name), mine.to_bytes(), uuid.uuid4().hex):
        return mine
    there = read_run(store, run_name)
    if {c.id for c in there.grid.cells} != {c.id for c in grid.cells}:
        given = f"{grid.name} with {len(grid.cells)} cells"
        allowed = f"the cells that it was launched with ({there.grid.name}, {len(there.grid.cells)} cells)"
        raise refuse(f"the grid of run {run_name}", given, allowed, "choose another --run, or leave --run out")
    return there


def launch_provenance(image: str = "") -> dict[str, str]:
    """Returns where this launch comes from: git commit and image, where known, and the time (UTC, ISO 8601)."""
    return {"git_commit": git_commit(), "image": image, "time": utc_now()}


def git_commit() -> str:
    """Returns the commit of the suite's checkout, with ``-dirty`` if files differ from it; empty if unknown.

    The variable GIT_COMMIT outranks the checkout.
    """
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
