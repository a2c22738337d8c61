"""``python -m k8s.logs --run RUN --cell ID``: prints what the attempts at a cell wrote, from their pods or from the store.

``--part prepare`` and ``--part collect`` are the pods that prepare data sets and report. ``--follow`` goes on as they write.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import time
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from experiment import keys
from experiment.errors import ExperimentError, describe_error, escape_controls, refuse
from experiment.ledger import RUNNING, WAITING
from experiment.program import run_program
from experiment.run import Run
from experiment.store import Store
from k8s import verbs
from k8s.cluster.observe import Observer, observe_reachable
from k8s.cluster.pod_logs import Tail
from k8s.cluster.states import View, cell_states
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest

EVERY = 2.0  # seconds between two looks of --follow


def main(argv: Sequence[str] | None = None) -> int:
    """Prints logs, oldest attempt first; returns the exit code."""
    parser = verbs.verb_parser(
        "logs", "Prints what the attempts at a cell wrote, or the pods of another part of the run."
    )
    cell = "the cell's id, its beginning, or its index in the grid"
    parser.add_argument("--cell", default="", metavar="ID|INDEX", help=cell)
    part = "whose pods: trainer (those of --cell), prepare or collect (trainer)"
    parser.add_argument("--part", choices=names.PARTS, default=names.TRAINER, help=part)
    parser.add_argument("--follow", action="store_true", help="go on as they write, until they have ended")
    return verbs.run_verb(print_logs, parser.parse_args(argv))


def print_logs(arguments: argparse.Namespace) -> int:
    """Prints the logs of pods and, of a cell, the stored logs of the attempts whose pods are gone."""
    store, run, settings = verbs.open_named_run(arguments)
    chosen = choose_pods(run, arguments.part, arguments.cell)
    with verbs.reach_cluster(settings) as (kube, unasked):
        patience = verbs.wait_for_store(settings)
        view = patience.wait_out(lambda: observe_reachable(store, run, kube, unasked))
        tail, printer = Tail(), Printer()
        live = list(tail.read_news(kube, chosen.pods(view))) if kube else []
        verbs.print_warnings(p for p in view.problems if p.cell in ("", chosen.cell))
        trained = {pod["metadata"]["uid"] for pod, container, _ in live if container == names.TRAINER}
        for attempt, text in _stored_logs(store, chosen.cell, trained) if chosen.cell else ():
            printer.print(f"{chosen.cell}, attempt {attempt}", text)
        _print_live(printer, chosen, live)
        look = Observer(store, run, kube).observe
        while kube and arguments.follow and not chosen.has_ended(view):
            time.sleep(EVERY)
            view = patience.wait_out(look)
            _print_live(printer, chosen, tail.read_news(kube, chosen.pods(view)))
    if not printer.printed:
        advice = "python -m k8s.status says what it waits for"
        what = f"no attempt at {chosen.cell}" if chosen.cell else f"no pod of part {chosen.part}"
        print(f"{what} has written anything yet; {advice}", file=sys.stderr)
    return 0


@dataclass(frozen=True)
class Chosen:
    """The pods whose logs are wanted: those of a cell, or of a part of the run that is not about cells."""

    part: str
    index: int = -1
    cell: str = ""

    def pods(self, view: View) -> list[Manifest]:
        """Returns the pods, oldest first."""
        if self.cell:
            return pods_of_cell(view, self.index)
        return _oldest_first(p for p in view.pods or () if jobs.is_part(p, self.part))

    def has_ended(self, view: View) -> bool:
        """Returns whether no pod will write any more."""
        if self.cell:
            return cell_states(view)[self.index].state not in (RUNNING, WAITING)
        return all(jobs.has_ended(j) for j in view.jobs or () if jobs.is_part(j, self.part))


def choose_pods(run: Run, part: str, cell: str) -> Chosen:
    """Returns the pods that the flags name.

    Raises:
        InvalidInput: a cell is missing where it is needed, given where it means nothing, or not one of the run.
    """
    if part == names.TRAINER:
        index = find_cell(run, cell)
        return Chosen(part, index, run.grid.cells[index].id)
    if cell:
        raise refuse(f"--cell with --part {part}", cell, "only with --part trainer", "leave one of them out")
    return Chosen(part)


@dataclass
class Printer:
    """Prints texts, each under a heading that says whose it is unless the last one was."""

    printed: str = ""

    def print(self, heading: str, text: str) -> None:
        """Prints a text."""
        if heading != self.printed:
            print(f"==> {heading}")
            self.printed = heading
        print(escape_controls(text, keep="\n\t"), end="" if text.endswith("\n") else "\n", flush=True)


def _print_live(printer: Printer, chosen: Chosen, news: Iterable[tuple[Manifest, str, str]]) -> None:
    for pod, container, text in news:
        whose = f"{chosen.cell}, attempt {pod['metadata']['uid']}" if chosen.cell else f"pod {jobs.object_name(pod)}"
        printer.print(whose if container == chosen.part else f"{whose}, container {container}", text)


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
    for key in store.list(keys.folder(keys.LOGS, cell)):
        named = keys.attempt_of(key)
        if named and named[1] not in live:
            try:
                yield named[1], store.read(key).decode(errors="replace")
            except ExperimentError as error:
                print(f"warning: {describe_error(error)}", file=sys.stderr)


def pods_of_cell(view: View, index: int) -> list[Manifest]:
    """Returns the pods of a cell, oldest first."""
    own = {(a.job, str(i)) for a in view.assignments.values() for i, group in enumerate(a.groups) if index in group}
    found = [p for p in view.pods or () if (jobs.label_of(p, names.JOB), jobs.label_of(p, names.INDEX)) in own]
    return _oldest_first(found)


def _oldest_first(pods: Iterable[Manifest]) -> list[Manifest]:
    return sorted(pods, key=jobs.creation_time)


if __name__ == "__main__":
    run_program(main)
