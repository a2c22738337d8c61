"""Shows a run until it has ended and its report is made: what ``k8s.launch --wait`` and ``k8s.wait`` do."""

from __future__ import annotations

import dataclasses
import functools
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from experiment import keys, urls
from experiment.console import say_beside
from experiment.errors import Transient
from experiment.interrupts import interrupted_by_signals
from experiment.ledger import DONE
from experiment.outage import OUTAGE_SECONDS, Patience
from experiment.retry import look_pauses
from experiment.run import Run
from experiment.store import Store
from k8s.cluster import handover, notice
from k8s.cluster.ceiling import Guard
from k8s.cluster.hopeless import MINUTES, Stopper
from k8s.cluster.kube import Kube
from k8s.cluster.news import describe_changes, describe_waits
from k8s.cluster.observe import Observer
from k8s.cluster.states import STATES, CellState, View, cell_states, describe_cell
from k8s.cluster.unreported import explain_missing_report
from k8s.manifests import jobs, names
from k8s.wording import count_done, format_duration

POLL = 5.0  # seconds between the first observations; they grow rarer
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


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Follows a run to its end.

    Attributes:
        look: observes the run.
        has_ended: returns whether what was observed is the end.
        act: does what is to be done about what was observed, and returns a line for each thing done.
        outage_seconds: longest outage of store or cluster that is waited out.
        notify: URL that is told the end; empty for none.
        where: flags with which ``k8s.wait`` finds the run's cluster.
    """

    store: Store
    run: Run
    look: Callable[[], View]
    has_ended: Callable[[View], bool]
    act: Callable[[View], Sequence[str]] = lambda _: ()
    outage_seconds: float = OUTAGE_SECONDS
    notify: str = ""
    where: str = ""
    sleep: Callable[[float], None] = time.sleep

    def follow(self) -> int:
        """Shows the run's progress to its end; returns 0 if every cell is done and the report is there.

        Raises:
            Interrupted: by Ctrl-C or SIGTERM; the run goes on.
        """
        attach = f"python -m k8s.wait --run {urls.run_url(self.store.url, self.run.name)}{self.where}"
        with interrupted_by_signals(f"the run goes on; {attach} shows it again"):
            return self._follow(Ticker())

    def _follow(self, ticker: Ticker) -> int:
        what = "the store or the cluster"
        patience = Patience(seconds=self.outage_seconds, say=say_beside, what=what, sleep=self.sleep)
        at_first = dataclasses.replace(patience, waits_for=(Transient,))  # who attaches with a wrong login is there
        before, named = dict[int, CellState](), set[str]()
        for pause in look_pauses(POLL):
            view = (patience if before else at_first).wait_out(self.look)
            cells = {c.index: c for c in cell_states(view)}
            for problem in view.problems:
                if problem.key not in named:
                    ticker.note(f"warning: {problem.reason}")
            named |= {problem.key for problem in view.problems}
            waits = describe_waits(cells.values())
            news = [line for reason, line in waits.items() if reason not in named]
            named |= waits.keys()
            for line in (*(describe_changes(before, cells) if before else ()), *news):
                ticker.note(line)
            ticker.show_run(summarize_cells(list(cells.values())))
            before = cells
            if patience.wait_out(functools.partial(self.has_ended, view)):
                reported = patience.wait_out(lambda: self.store.exists(keys.report(self.run.name)))
                unreported = (
                    "" if reported else explain_missing_report(view, urls.run_url(self.store.url, self.run.name))
                )
                if self.notify:
                    done = sum(c.state == DONE for c in cells.values())
                    ticker.note(notice.post_notice(self.notify, notice.make_notice(self.store, self.run, done)))
                return print_conclusion(ticker, self.store, self.run, list(cells.values()), unreported)
            for line in patience.wait_out(functools.partial(self.act, view)):
                if line not in named:
                    ticker.note(line)
                    named.add(line)
            self.sleep(pause)
        raise AssertionError("looks never end by themselves")


def watch_run(
    kube: Kube,
    store: Store,
    run: Run,
    sleep: Callable[[float], None] = time.sleep,
    hopeless_minutes: float = MINUTES,
    **more: Any,
) -> int:
    """Shows the run's progress in the cluster to its end; ``more``: attributes of ``Watch``. Returns its exit code."""
    stopper, guard = Stopper(minutes=hopeless_minutes), Guard()

    def act(view: View) -> list[str]:
        ended = guard.hold(kube, store, run, view.jobs or (), view.pods or ())
        if guard.reached:  # nothing is started any more
            return ended
        ended += stopper.stop_jobs(kube, view.jobs or (), view.pods or (), view.said)
        return [*ended, *handover.follow_waiting_jobs(kube, store, view)]

    return Watch(
        store=store,
        run=run,
        look=Observer(store, run, kube).observe,
        has_ended=run_has_ended,
        act=act,
        sleep=sleep,
        **more,
    ).follow()


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


def print_conclusion(ticker: Ticker, store: Store, run: Run, cells: Sequence[CellState], unreported: str) -> int:
    """Prints how the run ended and where its report is, or why there is none; returns the exit code."""
    for cell in cells:
        if cell.state != DONE:
            ticker.note(f"{cell.state}: {cell.cell}: {describe_cell(cell)}")
    ticker.note(summarize_cells(cells))
    url = f"{store.url}/{keys.report(run.name)}"
    ticker.note(f"no report at {url}: {unreported}" if unreported else f"report: {url}")
    return 0 if not unreported and all(c.state == DONE for c in cells) else 1
