"""``python -m k8s.logs --run RUN --cell ID``: prints what the attempts at a cell wrote, from their pods or from the store."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import sys
from collections.abc import Container, Iterable, Iterator, Sequence

from experiment import keys
from experiment.errors import ExperimentError, describe_error, refuse
from experiment.program import run_program
from experiment.run import Run
from experiment.store import Store
from k8s import verbs
from k8s.cluster.kube import Kube
from k8s.cluster.observe import observe_reachable
from k8s.cluster.states import View
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a cell's logs, oldest attempt first; returns the exit code."""
    parser = verbs.verb_parser("logs", "Prints what the attempts at a cell wrote.")
    cell = "the cell's id, its beginning, or its index in the grid"
    parser.add_argument("--cell", required=True, metavar="ID|INDEX", help=cell)
    return verbs.run_verb(print_logs, parser.parse_args(argv))


def print_logs(arguments: argparse.Namespace) -> int:
    """Prints the logs of a cell's pods, and the stored logs of the attempts whose pods are gone."""
    store, run, settings = verbs.open_named_run(arguments)
    index = find_cell(run, arguments.cell)
    cell = run.grid.cells[index].id
    with verbs.reach_cluster(settings) as (kube, unasked):
        view = observe_reachable(store, run, kube, unasked)
        live = dict(_logs_of_pods(kube, pods_of_cell(view, index))) if kube else {}
    verbs.print_warnings(p for p in view.problems if p.cell in ("", cell))
    shown = dict(_stored_logs(store, cell, live)) | live
    for attempt, text in shown.items():
        print(f"==> {cell}, attempt {attempt}")
        print(text, end="" if text.endswith("\n") else "\n")
    if not shown:
        advice = "python -m k8s.status says what it waits for"
        print(f"no attempt at {cell} has written anything yet; {advice}", file=sys.stderr)
    return 0


def find_cell(run: Run, wanted: str) -> int:
    """Returns the grid index of a cell named by its id, the beginning of its id, or its index.

    Raises:
        InvalidInput: no cell of the run has this name, or several have.
    """
    ids = [c.id for c in run.grid.cells]
    if wanted in ids:
        return ids.index(wanted)
    found = [i for i, cell in enumerate(ids) if cell.startswith(wanted)] if wanted else []
    if len(found) == 1:
        return found[0]
    if wanted.isdigit() and int(wanted) < len(ids):
        return int(wanted)
    if found:
        advice = f"the ids of {len(found)} cells begin so: give more of it"
    else:
        near = difflib.get_close_matches(wanted, ids, 1)
        advice = f"did you mean {near[0]!r}?" if near else "see python -m k8s.status"
    raise refuse("the cell", wanted, f"the id of one of the {len(ids)} cells of run {run.name}", advice)


def _stored_logs(store: Store, cell: str, live: Container[str]) -> Iterator[tuple[str, str]]:
    """Yields (attempt, log) of the stored logs of attempts that are not among the live ones."""
    for key in store.list(keys.logs(cell)):
        named = keys.attempt_of(key)
        if named and named[1] not in live:
            try:
                yield named[1], store.read(key).decode(errors="replace")
            except ExperimentError as error:
                print(f"warning: {describe_error(error)}", file=sys.stderr)


def _logs_of_pods(kube: Kube, pods: Iterable[Manifest]) -> Iterator[tuple[str, str]]:
    """Yields (attempt, log) of those of the pods that still have a log."""
    for pod in pods:
        with contextlib.suppress(ExperimentError):  # not started, or its node is gone: the store may have it
            text = kube.log(jobs.object_name(pod), names.TRAINER)
            if text:
                yield pod["metadata"]["uid"], text


def pods_of_cell(view: View, index: int) -> list[Manifest]:
    """Returns the pods of a cell, oldest first."""
    own = {(a.job, str(a.indexes.index(index))) for a in view.assignments.values() if index in a.indexes}
    found = [p for p in view.pods or () if (jobs.label_of(p, names.JOB), jobs.label_of(p, names.INDEX)) in own]
    return sorted(found, key=lambda p: str(p["metadata"]["creationTimestamp"]))


if __name__ == "__main__":
    run_program(main)
