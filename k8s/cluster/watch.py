"""Shows a run until it has ended and its report is made: what ``k8s.launch --wait`` does."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence

from experiment import keys
from experiment.run import Run
from experiment.store import Store
from k8s.cluster import jobs, states
from k8s.cluster.kube import Kube
from k8s.cluster.look import look
from k8s.cluster.states import CellState, View
from k8s.manifests import names
from k8s.planning.plan import duration
from k8s.status import words

POLL = 5.0  # seconds between two looks
EVERY = 30.0  # seconds between two lines on the whole where no terminal shows them in place


class Ticker:
    """The line on the whole: in place on a terminal, now and then elsewhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._terminal = clock, sys.stdout.isatty()
        self._last, self._said = float("-inf"), ""

    def note(self, text: str) -> None:
        """A line that stays."""
        print(f"\r\033[K{text}" if self._terminal else text, flush=True)

    def whole(self, text: str) -> None:
        """The state of the whole."""
        if self._terminal:
            print(f"\r\033[K{text}", end="", flush=True)
        elif text != self._said and self._clock() - self._last >= EVERY:
            print(text, flush=True)
            self._last, self._said = self._clock(), text


def wait(kube: Kube, store: Store, frozen: Run, sleep: Callable[[float], None] = time.sleep) -> int:
    """Shows the run's progress to its end; 0 if every cell is done and the report is there."""
    ticker, before = Ticker(), dict[int, CellState]()
    while True:
        view = look(store, frozen, kube)
        cells = {c.index: c for c in states.states(view)}
        for line in news(before, cells) if before else ():
            ticker.note(line)
        ticker.whole(whole(list(cells.values())))
        before = cells
        if ended(view):
            return conclude(ticker, store, frozen, list(cells.values()))
        for line in abandon(kube, view):
            ticker.note(line)
        sleep(POLL)


def news(before: Mapping[int, CellState], now: Mapping[int, CellState]) -> list[str]:
    """What happened to cells between two looks."""
    changed = [
        c
        for i, c in now.items()
        if i in before and before[i].state != c.state and c.state in (states.DONE, states.FAILED)
    ]
    lines = [f"{c.state}: {c.cell}" + (f": {words(c)}" if c.state == states.FAILED else "") for c in changed]
    hit = [
        c for i, c in now.items() if i in before and c.interrupted > before[i].interrupted and c.state != states.DONE
    ]
    return [*lines, *(f"interrupted: {c.cell}; it goes on from its checkpoint" for c in hit)]


def whole(cells: Sequence[CellState]) -> str:
    """The run in one line: counts, speed, and the time that the running cells still need."""
    counts = {s: sum(c.state == s for c in cells) for s in states.STATES}
    parts = [f"{counts[states.DONE]} of {len(cells)} cells done"]
    parts += [f"{counts[s]} {s}" for s in states.STATES[1:] if counts[s]]
    running = [c.progress for c in cells if c.progress]
    if running:
        parts.append(f"{sum(p.images_per_second for p in running):,.0f} images/s")
        parts.append(f"the running ones end in {duration(max(p.seconds_left for p in running))}")
    return ", ".join(parts)


def ended(view: View) -> bool:
    """Whether nothing of the run is active any more."""
    return all(jobs.finished(j) for j in view.jobs or () if not jobs.part(j, names.PREPARE))


def abandon(kube: Kube, view: View) -> list[str]:
    """Cancels trainer Jobs that wait for a data set whose preparation failed: their pods would hold GPUs for nothing."""
    latest = {
        jobs.label(j, names.DATASET): j
        for j in sorted(view.jobs or (), key=lambda j: str(j["metadata"]["creationTimestamp"]))
        if jobs.part(j, names.PREPARE)
    }
    lines = []
    for job in view.jobs or ():
        first = latest.get(jobs.label(job, names.DATASET))
        reason = jobs.condition(first, "Failed") if first else None
        if reason and jobs.part(job, names.TRAINER) and not jobs.finished(job):
            kube.delete("Job", jobs.name(job))
            lines.append(f"cancelled {jobs.name(job)}: its data set could not be prepared: {reason.get('message', '')}")
    return lines


def conclude(ticker: Ticker, store: Store, frozen: Run, cells: Sequence[CellState]) -> int:
    """Says how the run ended, and where its report is."""
    for cell in cells:
        if cell.state != states.DONE:
            ticker.note(f"{cell.state}: {cell.cell}: {words(cell)}")
    ticker.note(whole(cells))
    reported = store.exists(keys.report(frozen.name))
    url = f"{store.url}/{keys.report(frozen.name)}"
    ticker.note(f"report: {url}" if reported else f"no report at {url}: see the log of the collecting Job")
    return 0 if reported and all(c.state == states.DONE for c in cells) else 1
