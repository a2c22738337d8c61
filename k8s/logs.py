"""``python -m k8s.logs --run RUN --cell ID``: what a cell's attempts wrote, from the pod or, once it is gone, from the store."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterator, Sequence

from experiment import keys
from experiment.errors import ExperimentError, InvalidInput, refuse
from experiment.run import Run
from experiment.store import Store
from k8s import verbs
from k8s.cluster import jobs, states
from k8s.cluster.kube import Kube, connect
from k8s.cluster.look import look
from k8s.manifests import names
from k8s.manifests.names import Manifest


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a cell's logs, oldest attempt first; returns the exit code."""
    parser = verbs.parser("logs", "Prints what the attempts at a cell wrote.")
    parser.add_argument(
        "--cell", required=True, metavar="ID|INDEX", help="the cell's id, its beginning, or its index in the grid"
    )
    return verbs.run(logs, parser.parse_args(argv))


def logs(arguments: argparse.Namespace) -> int:
    """Finds the cell, prints what pods and store have of it."""
    store, frozen, settings = verbs.opened(arguments)
    index = find(frozen, arguments.cell)
    cell = frozen.grid.cells[index].id
    stored = {named[1]: key for key in store.list(keys.logs(cell)) if (named := keys.attempt_of(key))}
    live = dict(_of_pods(store, frozen, index, settings.context, settings.namespace))
    gone = {a: store.read(key).decode(errors="replace") for a, key in sorted(stored.items()) if a not in live}
    shown = gone | live
    for attempt, text in shown.items():
        print(f"==> {cell}, attempt {attempt}")
        print(text, end="" if text.endswith("\n") else "\n")
    if not shown:
        print(
            f"no attempt at {cell} has written anything yet; python -m k8s.status says what it waits for",
            file=sys.stderr,
        )
    return 0


def find(frozen: Run, wanted: str) -> int:
    """The grid index of a cell named by its id, the beginning of one, or its index.

    Raises:
        InvalidInput: no cell of the run, or several.
    """
    ids = [c.id for c in frozen.grid.cells]
    found = [i for i, cell in enumerate(ids) if cell.startswith(wanted)] if wanted else []
    if wanted in ids or len(found) == 1:
        return ids.index(wanted) if wanted in ids else found[0]
    if wanted.isdigit() and int(wanted) < len(ids):
        return int(wanted)
    near = difflib.get_close_matches(wanted, ids, 1)
    advice = (
        f"{len(found)} cells begin so, be longer"
        if found
        else f"did you mean {near[0]!r}?"
        if near
        else "see python -m k8s.status"
    )
    raise refuse("the cell", wanted, f"the id of one of the {len(ids)} cells of run {frozen.name}", advice)


def _of_pods(store: Store, frozen: Run, index: int, context: str, namespace: str) -> Iterator[tuple[str, str]]:
    """(attempt, log) of the cell's pods whose logs can still be had."""
    try:
        kube = connect(context, namespace)
    except InvalidInput:
        return
    with kube:
        view = look(store, frozen, kube)
        for pod in pods_of(view, index):
            text = _read(kube, pod)
            if text:
                yield pod["metadata"]["uid"], text


def pods_of(view: states.View, index: int) -> list[Manifest]:
    """The pods of a cell, oldest first."""
    own = {(a.job, str(a.indexes.index(index))) for a in view.assignments.values() if index in a.indexes}
    found = [p for p in view.pods or () if (jobs.label(p, names.JOB), jobs.label(p, names.INDEX)) in own]
    return sorted(found, key=lambda p: str(p["metadata"]["creationTimestamp"]))


def _read(kube: Kube, pod: Manifest) -> str:
    try:
        return kube.log(jobs.name(pod), names.TRAINER)
    except ExperimentError:  # not started, or its node is gone: the store may have it
        return ""


if __name__ == "__main__":
    raise SystemExit(main())
