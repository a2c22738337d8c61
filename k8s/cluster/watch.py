"""Shows a run until it has ended and its report is made: what ``k8s.launch --wait`` does."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence

from experiment import keys
from experiment.ledger import DONE, FAILED
from experiment.run import Run
from experiment.store import Store
from k8s.cluster.kube import Kube
from k8s.cluster.observe import observe_run
from k8s.cluster.states import STATES, CellState, View, cell_states, describe_cell
from k8s.manifests import jobs, names
from k8s.wording import count_done, format_duration

POLL = 5.0  # seconds between two observations
EVERY = 30.0  # seconds between two lines on the whole run where no terminal shows them in place


class Ticker:
    """Prints lines that stay, and a line on the whole run: in place on a terminal, every 30 s elsewhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._terminal = clock, sys.stdout.isatty()
        self._last, self._said = float("-inf"), ""

    def note(self, text: str) -> None:
        """Prints a line that stays."""
        print(f"\r\033[K{text}" if self._terminal else text, flush=True)

    def show_run(self, text: str) -> None:
        """Prints the state of the whole run, unless it was printed a moment ago."""
        if self._terminal:
            print(f"\r\033[K{text}", end="", flush=True)
        elif text != self._said and self._clock() - self._last >= EVERY:
            print(text, flush=True)
            self._last, self._said = self._clock(), text


def watch_run(kube: Kube, store: Store, run: Run, sleep: Callable[[float], None] = time.sleep) -> int:
    """Shows the run's progress to its end; returns 0 if every cell is done and the report is there."""
    ticker, before, named = Ticker(), dict[int, CellState](), set[str]()
    while True:
        view = observe_run(store, run, kube)
        cells = {c.index: c for c in cell_states(view)}
        for problem in view.problems:
            if problem.key not in named:
                ticker.note(f"warning: {problem.reason}")
        named |= {problem.key for problem in view.problems}
        for line in describe_changes(before, cells) if before else ():
            ticker.note(line)
        ticker.show_run(summarize_cells(list(cells.values())))
        before = cells
        if run_has_ended(view):
            return print_conclusion(ticker, store, run, list(cells.values()))
        for line in cancel_unprepared(kube, view):
            ticker.note(line)
        sleep(POLL)


def describe_changes(before: Mapping[int, CellState], now: Mapping[int, CellState]) -> list[str]:
    """Returns what happened to cells between two observations, one line each."""
    lines = []
    for index, cell in now.items():
        earlier = before.get(index)
        if earlier is None:
            continue
        if earlier.state != cell.state and cell.state in (DONE, FAILED):
            reason = f": {describe_cell(cell)}" if cell.state == FAILED else ""
            lines.append(f"{cell.state}: {cell.cell}{reason}")
        if cell.interrupted > earlier.interrupted and cell.state != DONE:
            lines.append(f"interrupted: {cell.cell}; it goes on from its checkpoint")
    return lines


def summarize_cells(cells: Sequence[CellState]) -> str:
    """Returns the run in one line: counts, speed, and the time that the running cells still need."""
    counts = {s: sum(c.state == s for c in cells) for s in STATES}
    parts = [count_done(counts[DONE], len(cells))]
    parts += [f"{counts[s]} {s}" for s in STATES if s != DONE and counts[s]]
    running = [c.progress for c in cells if c.progress]
    if running:
        parts.append(f"{sum(p.images_per_second for p in running):,.0f} images/s")
        parts.append(f"{format_duration(max(p.seconds_left for p in running))} left for the running ones")
    return ", ".join(parts)


def run_has_ended(view: View) -> bool:
    """Returns whether no trainer or collecting Job of the run is active any more."""
    return all(jobs.has_ended(j) for j in view.jobs or () if not jobs.is_part(j, names.PREPARE))


def cancel_unprepared(kube: Kube, view: View) -> list[str]:
    """Cancels trainer Jobs whose data set could not be prepared: their pods would hold GPUs for nothing. Returns a line each."""
    preparing = [j for j in view.jobs or () if jobs.is_part(j, names.PREPARE)]
    preparing.sort(key=lambda j: str(j["metadata"]["creationTimestamp"]))
    latest = {jobs.label_of(j, names.DATASET): j for j in preparing}
    lines = []
    for job in view.jobs or ():
        first = latest.get(jobs.label_of(job, names.DATASET))
        failure = jobs.true_condition(first, "Failed") if first else None
        if failure and jobs.is_part(job, names.TRAINER) and not jobs.has_ended(job):
            kube.delete("Job", jobs.object_name(job))
            reason = f"its data set could not be prepared: {failure.get('message', '')}"
            lines.append(f"cancelled {jobs.object_name(job)}: {reason}")
    return lines


def print_conclusion(ticker: Ticker, store: Store, run: Run, cells: Sequence[CellState]) -> int:
    """Prints how the run ended and where its report is; returns the exit code."""
    for cell in cells:
        if cell.state != DONE:
            ticker.note(f"{cell.state}: {cell.cell}: {describe_cell(cell)}")
    ticker.note(summarize_cells(cells))
    reported = store.exists(keys.report(run.name))
    url = f"{store.url}/{keys.report(run.name)}"
    ticker.note(f"report: {url}" if reported else f"no report at {url}: see the log of the collecting Job")
    return 0 if reported and all(c.state == DONE for c in cells) else 1
