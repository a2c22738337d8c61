"""``python -m k8s.status --run RUN``: prints every cell of a run with its state, in words or as JSON; without a run the store's runs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from experiment import keys
from experiment.errors import ExperimentError, describe_error
from experiment.ledger import Problem
from experiment.program import run_program
from experiment.spending import HOUR, Spent, add_dollars, read_spent
from experiment.store import Store, open_store
from k8s import verbs
from k8s.cluster import handover, runs, states
from k8s.cluster.ceiling import find_ceiling
from k8s.cluster.observe import observe_reachable
from k8s.cluster.states import CellState, View
from k8s.manifests import jobs, names, sources


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the state of a run; returns 0 whatever the state is."""
    about = "Prints the state of every cell of a run, or of every run of a store."
    parser = verbs.verb_parser("status", about, needs_run=False)
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
    parser.add_argument("--state", choices=states.STATES, help="only the cells in this state")
    arguments = parser.parse_args(argv)
    if arguments.state and arguments.run is None:
        parser.error("--state without --run; allowed: of one run; give --run")
    return verbs.run_verb(print_runs if arguments.run is None else print_status, arguments)


def print_runs(arguments: argparse.Namespace) -> int:
    """Prints the runs of the store as far as cluster and store answer."""
    settings = sources.load_settings(arguments, os.environ)
    store, problems, found = open_store(arguments.store), [], None
    with verbs.reach_cluster(settings) as (kube, unasked):
        try:
            found = kube.list("Job", f"{names.PART}={names.TRAINER}") if kube else None
        except ExperimentError as error:
            unasked = describe_error(error)
    if unasked:
        problems.append(Problem(key="", reason=f"the cluster was not asked, so Jobs are not shown: {unasked}"))
    now = datetime.now(UTC)
    states_found, damaged = verbs.wait_for_store(settings).wait_out(lambda: runs.list_runs(store, found, now))
    verbs.print_warnings([*problems, *damaged])
    if arguments.json:
        print(json.dumps([dataclasses.asdict(s) for s in states_found], indent=1))
    else:
        print("\n".join(runs.format_runs(states_found)) or f"{store.url} holds no run; python -m k8s.launch makes one")
    return 0


def print_status(arguments: argparse.Namespace) -> int:
    """Prints the run as far as cluster and store answer."""
    store, run, settings = verbs.open_named_run(arguments)
    with verbs.reach_cluster(settings) as (kube, unasked):
        view = verbs.wait_for_store(settings).wait_out(lambda: observe_reachable(store, run, kube, unasked))
    spent, unread = spending_of(store, run.name)
    verbs.print_warnings([*view.problems, *unread])
    cells = [c for c in states.cell_states(view) if not arguments.state or c.state == arguments.state]
    print(status_as_json(view, cells, spent) if arguments.json else "\n".join(status_as_text(view, cells, spent)))
    return 0


def spending_of(store: Store, run: str) -> tuple[list[Spent], list[Problem]]:
    """Returns what the run's Jobs have taken, as the collecting Job recorded it last; or why it cannot be read."""
    try:
        return read_spent(store, run), []
    except ExperimentError as error:
        return [], [Problem(key=keys.report(run, keys.SPENT), reason=describe_error(error))]


def status_as_json(view: View, cells: Sequence[CellState], spent: Sequence[Spent] = ()) -> str:
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
        "dollars": round(add_dollars(spent), 2),
        "cells": [dataclasses.asdict(c) for c in cells],
        "warnings": [p.reason for p in view.problems],
    }
    return json.dumps(found, indent=1)


def status_as_text(view: View, cells: Sequence[CellState], spent: Sequence[Spent] = ()) -> list[str]:
    """Returns the run for people: a line for each cell and each Job, then what was taken and the counts."""
    wide = max((len(c.cell) for c in cells), default=0)
    lines = [f"{c.index:5d}  {c.cell:{wide}}  {c.state:12}  {states.describe_cell(c)}".rstrip() for c in cells]
    lines += [
        f"{jobs.label_of(j, names.PART)} Job {jobs.object_name(j)}: {jobs.describe_job(j)}" for j in view.jobs or ()
    ]
    lines += handover.describe_waiting_jobs(view)
    lines += describe_spent(spent, find_ceiling(view.jobs or ()))
    return [*lines, f"run {view.run.name}: {count_states(cells)}"]


def describe_spent(spent: Sequence[Spent], ceiling: float) -> list[str]:
    """Returns in a line what the run has taken; nothing where nobody measured it."""
    if not spent:
        return []
    hours = sum(s.seconds for s in spent) / HOUR
    of = f" of max_dollars ${ceiling:,.2f}" if ceiling else ""
    return [
        f"taken so far: ${add_dollars(spent):,.2f}{of}, {hours:,.1f} pod-hours (until {max(s.until for s in spent)})"
    ]


def count_states(cells: Iterable[CellState]) -> str:
    """Returns how many cells are in each state."""
    counts = Counter(c.state for c in cells)
    return ", ".join(f"{counts[s]} {s}" for s in states.STATES if counts[s])


if __name__ == "__main__":
    run_program(main)
