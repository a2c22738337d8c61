"""The runs of a store, one line each: what is done of each, and whether anything still trains it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from experiment import keys, urls
from experiment.errors import ExperimentError, describe_error
from experiment.ledger import DONE, RUNNING, Problem, committed_ids, read_progress
from experiment.records import is_recent
from experiment.run import Run, read_run
from experiment.store import Store
from k8s.cluster.states import FRESH
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest
from k8s.wording import count_done

WAITING, STOPPED = "waiting", "stopped"


@dataclass(frozen=True, kw_only=True)
class RunState:
    """One run of a store.

    Attributes:
        state: done; running, if an attempt has just told of its progress; waiting, if it has unfinished Jobs; or stopped.
        running: cells whose attempt has just told of its progress.
        jobs: its unfinished trainer Jobs in the namespace; None if the cluster was not asked.
        launched: when (UTC, ISO 8601); empty if unknown.
    """

    run: str
    grid: str
    state: str
    cells: int
    done: int
    running: int
    jobs: int | None
    reported: bool
    launched: str


def list_runs(store: Store, found: Iterable[Manifest] | None, now: datetime) -> tuple[list[RunState], list[Problem]]:
    """Returns the runs of a store, latest last, and those that cannot be read.

    Args:
        found: the trainer Jobs of the namespace, of whatever run and store; None if the cluster was not asked.
    """
    runs, problems = _read_runs(store)
    cells = {c.id: c for run in runs for c in run.grid.cells}  # runs share cells
    done = committed_ids(store, cells.values())
    progress, damaged = read_progress(store, cells.keys() - done)
    running = {cell for cell, record in progress.items() if is_recent(record.time, now, FRESH)}
    reported = set(store.find(keys.report(run.name) for run in runs))
    states = [_describe(store, run, (done, running, reported), found) for run in runs]
    return sorted(states, key=lambda s: (s.launched, s.run)), [*problems, *damaged]


def _read_runs(store: Store) -> tuple[list[Run], list[Problem]]:
    runs, problems = [], []
    for key in store.list(keys.RUNS):
        name = keys.run_of(key)
        try:
            runs += [read_run(store, name)] if name else []
        except ExperimentError as error:
            problems.append(Problem(key=key, reason=describe_error(error)))
    return runs, problems


def _describe(
    store: Store, run: Run, known: tuple[set[str], set[str], set[str]], found: Iterable[Manifest] | None
) -> RunState:
    own = {c.id for c in run.grid.cells}
    done, running, reported = known
    url = urls.run_url(store.url, run.name)
    active = None if found is None else sum(_is_active(job, url) for job in found)
    state = DONE if own <= done else RUNNING if own & running else WAITING if active else STOPPED
    return RunState(
        run=run.name,
        grid=run.grid.name,
        state=state,
        cells=len(own),
        done=len(own & done),
        running=len(own & running),
        jobs=active,
        reported=keys.report(run.name) in reported,
        launched=run.provenance.get("time", ""),
    )


def _is_active(job: Manifest, url: str) -> bool:
    return jobs.annotation_of(job, names.RUN_URL) == url and not jobs.has_ended(job)


def format_runs(states: Sequence[RunState]) -> list[str]:
    """Returns the runs for people, a line each."""
    wide = max((len(s.run) for s in states), default=0)
    return [f"{s.run:{wide}}  {s.state:7}  {', '.join(_facts(s))}" for s in states]


def _facts(s: RunState) -> list[str]:
    facts = [count_done(s.done, s.cells)]
    facts += [f"{s.running} running"] if s.running else []
    facts += [f"{s.jobs} unfinished Jobs"] if s.jobs else []
    facts += [] if s.reported else ["no report"]
    return [*facts, f"grid {s.grid}", *([f"launched {s.launched}"] if s.launched else [])]
