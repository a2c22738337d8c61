"""``python -m k8s.status --run RUN``: prints every cell of a run with its state, in words or as JSON."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Sequence

from experiment.program import run_program
from k8s import verbs
from k8s.cluster import states
from k8s.cluster.observe import observe_reachable
from k8s.cluster.states import CellState, View
from k8s.manifests import jobs, names


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the state of a run; returns 0 whatever the state is."""
    parser = verbs.verb_parser("status", "Prints the state of every cell of a run.")
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
    parser.add_argument("--state", choices=states.STATES, help="only the cells in this state")
    return verbs.run_verb(print_status, parser.parse_args(argv))


def print_status(arguments: argparse.Namespace) -> int:
    """Prints the run as far as cluster and store answer."""
    store, run, settings = verbs.open_named_run(arguments)
    with verbs.reach_cluster(settings) as (kube, unasked):
        view = observe_reachable(store, run, kube, unasked)
    verbs.print_warnings(view.problems)
    cells = [c for c in states.cell_states(view) if not arguments.state or c.state == arguments.state]
    print(status_as_json(view, cells) if arguments.json else "\n".join(status_as_text(view, cells)))
    return 0


def status_as_json(view: View, cells: Sequence[CellState]) -> str:
    """Returns the run for programs: counts, Jobs, cells, and what could not be asked or read."""
    shown_jobs = [
        {"name": jobs.object_name(j), "part": jobs.label_of(j, names.PART), "state": jobs.describe_job(j)}
        for j in view.jobs or ()
    ]
    found = {
        "run": view.run.name,
        "time": view.time.isoformat(timespec="seconds"),
        "counts": Counter(c.state for c in cells),
        "jobs": shown_jobs,
        "cells": [dataclasses.asdict(c) for c in cells],
        "warnings": [p.reason for p in view.problems],
    }
    return json.dumps(found, indent=1)


def status_as_text(view: View, cells: Sequence[CellState]) -> list[str]:
    """Returns the run for people: a line for each cell and each Job, then the counts."""
    wide = max((len(c.cell) for c in cells), default=0)
    lines = [f"{c.index:5d}  {c.cell:{wide}}  {c.state:12}  {states.describe_cell(c)}".rstrip() for c in cells]
    lines += [
        f"{jobs.label_of(j, names.PART)} Job {jobs.object_name(j)}: {jobs.describe_job(j)}" for j in view.jobs or ()
    ]
    return [*lines, f"run {view.run.name}: {count_states(cells)}"]


def count_states(cells: Iterable[CellState]) -> str:
    """Returns how many cells are in each state."""
    counts = Counter(c.state for c in cells)
    return ", ".join(f"{counts[s]} {s}" for s in states.STATES if counts[s])


if __name__ == "__main__":
    run_program(main)
