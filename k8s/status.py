"""``python -m k8s.status --run RUN``: every cell of a run, in words or as JSON."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

from experiment.errors import InvalidInput
from k8s import verbs
from k8s.cluster import jobs, states
from k8s.cluster.kube import Kube, connect
from k8s.cluster.look import look
from k8s.cluster.states import CellState, View
from k8s.manifests import names
from k8s.planning.plan import duration


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the state of a run; 0 whatever it is."""
    parser = verbs.parser("status", "Says how every cell of a run is doing.")
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
    parser.add_argument("--state", choices=states.STATES, help="only the cells in this state")
    return verbs.run(status, parser.parse_args(argv))


def status(arguments: argparse.Namespace) -> int:
    """Looks and prints."""
    store, frozen, settings = verbs.opened(arguments)
    try:
        kube: Kube | None = connect(settings.context, settings.namespace)
    except InvalidInput as error:
        kube = None
        print(f"no cluster asked, the store alone: {error}", file=sys.stderr)
    if kube is None:
        view = look(store, frozen, None)
    else:
        with kube:
            view = look(store, frozen, kube)
    cells = [c for c in states.states(view) if not arguments.state or c.state == arguments.state]
    print(as_json(view, cells) if arguments.json else "\n".join(as_text(view, cells)))
    return 0


def as_json(view: View, cells: Iterable[CellState]) -> str:
    """The run for programs: counts, Jobs, cells."""
    shown = list(cells)
    found = {
        "run": view.frozen.name,
        "time": view.time.isoformat(timespec="seconds"),
        "counts": Counter(c.state for c in shown),
        "jobs": [
            {"name": jobs.name(j), "part": jobs.label(j, names.PART), "state": job_state(j)} for j in view.jobs or ()
        ],
        "cells": [dataclasses.asdict(c) for c in shown],
    }
    return json.dumps(found, indent=1)


def as_text(view: View, cells: Sequence[CellState]) -> list[str]:
    """The run for people: one line per cell, then the whole."""
    wide = max((len(c.cell) for c in cells), default=0)
    lines = [f"{c.index:5d}  {c.cell:{wide}}  {c.state:12}  {words(c)}".rstrip() for c in cells]
    lines += [f"{jobs.label(j, names.PART)} Job {jobs.name(j)}: {job_state(j)}" for j in view.jobs or ()]
    return [*lines, summary(view.frozen.name, cells)]


def words(cell: CellState) -> str:
    """What there is to say of a cell beside its state."""
    parts = []
    if cell.progress:
        p = cell.progress
        parts.append(
            f"epoch {p.epoch}/{p.epochs}, {p.images_per_second:,.0f} images/s, {duration(p.seconds_left)} left"
        )
    parts += [cell.reason] if cell.reason else []
    parts += [f"interrupted {times(cell.interrupted)}"] if cell.interrupted else []
    parts += [f"failed {times(cell.failed)}"] if cell.failed and cell.state != states.DONE else []
    return "; ".join(parts)


def times(count: int) -> str:
    """A count of occurrences."""
    return "once" if count == 1 else f"{count} times"


def summary(run: str, cells: Iterable[CellState]) -> str:
    """The counts of a run in one line."""
    counts = Counter(c.state for c in cells)
    return f"run {run}: " + ", ".join(f"{counts[s]} {s}" for s in states.STATES if counts[s])


def job_state(job: dict[str, object]) -> str:
    """A Job's state in words."""
    ending = jobs.condition(job, "Complete", "Failed")
    if ending:
        reason = ending.get("message") or ending.get("reason", "")
        return "complete" if ending["type"] == "Complete" else f"failed: {reason}"
    status = job.get("status") or {}
    assert isinstance(status, dict)
    spec = job["spec"]
    assert isinstance(spec, dict)
    if spec.get("suspend"):
        return "suspended"
    return f"active, {status.get('active', 0)} pods, {status.get('ready', 0)} ready"


if __name__ == "__main__":
    raise SystemExit(main())
