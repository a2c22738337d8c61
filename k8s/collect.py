"""``python -m k8s.collect --run URL``: keeps a run's report fresh until its Jobs have ended, whatever failed.

It runs in a pod of the aggregator's image. It also records why pods ended that were killed before they could do so
themselves, because Kubernetes forgets it after a while.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from experiment import keys, records, urls
from experiment.assignment import Assignment
from experiment.console import say_beside
from experiment.errors import Transient
from experiment.ledger import LedgerReader, committed_ids, read_failures
from experiment.outage import OUTAGE_SECONDS, Patience, outage_seconds
from experiment.program import CommandLine, run_program
from experiment.retry import look_pauses
from experiment.run import Run
from experiment.store import Store
from k8s import verbs
from k8s.cluster import postmortem
from k8s.cluster.caretaker import Caretaker
from k8s.cluster.connect import connect_as_set
from k8s.cluster.hopeless import Stopper
from k8s.cluster.kube import Kube
from k8s.cluster.observe import read_new_assignments
from k8s.manifests import jobs, names, sources
from k8s.manifests.names import Manifest
from k8s.wording import count_done

T = TypeVar("T")
POLL = 10.0  # seconds between the first looks at the Jobs; they grow rarer
REST = 10  # times as long as a report took there is no other: each reads every result of the run
REPORT = (sys.executable, "-m", "aggregator", "--run")


@dataclass(frozen=True, kw_only=True)
class Collector:
    """Watches a run's Jobs and has its report made.

    Attributes:
        report: makes the report and returns its exit code.
        refresh: least seconds between two reports; they are rarer where a report takes long.
        outage_seconds: longest outage of store or cluster that is waited out.
        care: looks after the run's Jobs.
        own: the name of the collecting Job whose pod this is; empty outside a cluster.
    """

    kube: Kube
    store: Store
    run: Run
    report: Callable[[], int]
    refresh: float = 60.0
    poll: float = POLL
    outage_seconds: float = OUTAGE_SECONDS
    care: Caretaker = field(default_factory=Caretaker)
    own: str = ""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _named: set[str] = field(default_factory=set)  # keys of damaged records, and lines, that were printed
    _recorded: set[str] = field(default_factory=set)  # attempts that have a failure record
    _assignments: dict[str, Assignment] = field(default_factory=dict)

    def collect(self) -> int:
        """Reports whenever cells are done or failed, and once more when no Job trains; returns the last report's exit code."""
        ledger = LedgerReader(self.store, self.run.grid.cells)
        seen: object = None
        due = float("-inf")
        for pause in look_pauses(self.poll):
            found = self._wait_out(self._look)
            if self._replaced(found):
                print("a newer collecting Job has taken over this run", flush=True)
                return 0
            training = bool(jobs.unfinished_jobs(found, names.TRAINER))
            done = self._wait_out(lambda: len(ledger.read_committed()))
            news = (done, [sorted(jobs.failed_indexes(j)) for j in found])
            if not training:
                code = self._wait_out(self._last_report)
                self._say(self.care.tell_end(self.kube, self.store, self.run, self.own, done))
                return code
            if seen is None:
                seen = (0, news[1]) if done == 0 else None
            if news != seen and self.clock() >= due:
                print(count_done(done, len(self.run.grid.cells)), flush=True)
                began = self.clock()
                self._report()
                seen, due = news, self.clock() + max(self.refresh, REST * (self.clock() - began))
            self.sleep(pause)
        raise AssertionError("looks never end by themselves")

    def _say(self, lines: Sequence[str]) -> None:
        """Prints lines that were not printed before."""
        for line in lines:
            if line not in self._named:
                print(line, flush=True)
                self._named.add(line)

    def _wait_out(self, operation: Callable[[], T]) -> T:
        return wait_for_servers(self.outage_seconds, clock=self.clock, sleep=self.sleep).wait_out(operation)

    def _look(self) -> list[Manifest]:
        """Returns the run's Jobs; records why pods have ended."""
        found = self.kube.list("Job", names.run_selector(self.run.name))
        if not self._replaced(found):
            self._say(self.care.settle(self.kube, self.store, self.run, found, self.record_failures()))
        return found

    def _last_report(self) -> int:
        code = self.report()
        if code == Transient.exit_code:
            raise Transient("the report could not be made, because the store was away")
        return code

    def _report(self) -> None:
        code = self.report()
        if code:
            print(f"the report failed with exit code {code}; it is tried again when further cells end", flush=True)

    def _replaced(self, found: Sequence[Manifest]) -> bool:
        """Returns whether a later launch has brought a collecting Job of its own."""
        return jobs.has_successor(self.own, found, jobs.unfinished_jobs(found, names.COLLECT))

    def record_failures(self) -> list[Manifest]:
        """Writes a failure record for every failed pod that left none; names records that cannot be read; returns the run's pods."""
        found = self.kube.list("Pod", names.run_selector(self.run.name))
        trainers = [p for p in found if jobs.is_part(p, names.TRAINER)]
        pods = [p for p in trainers if p["metadata"]["uid"] not in self._recorded]
        of_jobs = {jobs.label_of(pod, names.JOB) for pod in pods}
        damaged = read_new_assignments(self.store, self.run.name, self._assignments, of_jobs)
        ended = [failure for pod in pods for failure in self._failures(pod)]
        known, problems = read_failures(self.store, {f.cell for f in ended})
        verbs.print_warnings(p for p in (*damaged, *problems) if p.key not in self._named)
        self._named.update(p.key for p in (*damaged, *problems))
        for failure in ended:
            if failure.attempt not in {f.attempt for f in known.get(failure.cell, ())}:
                key = keys.failure(failure.cell, failure.attempt)
                self.store.put_once(key, records.to_bytes(failure), failure.attempt)
                print(f"{failure.cell}: {failure.message}", flush=True)
            self._recorded.add(failure.attempt)
        return found

    def _failures(self, pod: Manifest) -> list[records.Failure]:
        """Returns the failure of each cell of a pod that has failed; of several only those that have no result."""
        assignment = self._assignments.get(jobs.label_of(pod, names.JOB))
        position = int(jobs.label_of(pod, names.INDEX) or -1)
        if not assignment or not 0 <= position < len(assignment.groups):
            return []
        cells = [self.run.grid.cells[i] for i in assignment.group_of(position)]
        found = [f for c in cells if (f := postmortem.failure_of_pod(pod, c.id))]
        done = committed_ids(self.store, cells) if found and len(cells) > 1 else set()
        self._recorded.update(f.attempt for f in found if f.cell in done)  # the others are, once they are in the store
        return [f for f in found if f.cell not in done]


def main(argv: Sequence[str] | None = None) -> int:
    """Collects; returns the exit code of the last report."""
    parser = CommandLine(
        prog="python -m k8s.collect",
        description="Keeps a run's report fresh until its Jobs have ended. A launch starts it in a pod.",
        allow_abbrev=False,
    )
    verbs.add_run_flags(parser)
    own = "name of the collecting Job of this process, which ends when a newer one exists"
    parser.add_argument("--job", default="", metavar="NAME", help=own)
    sources.add_setting_flags(parser, "context", "namespace", "refresh_seconds", "hopeless_minutes", "notify")
    return verbs.run_verb(collect_run, parser.parse_args(argv))


def wait_for_servers(seconds: float, **more: Any) -> Patience:
    """Returns how long a pod waits for store and cluster; nobody is there to mend what refuses it."""
    return Patience(seconds=seconds, say=say_beside, what="the store or the cluster", **more)


def collect_run(arguments: argparse.Namespace) -> int:
    """Connects to the cluster and collects."""
    seconds = outage_seconds(os.environ)
    arguments.answer_seconds = arguments.outage_seconds = str(round(seconds))
    store, run, settings = wait_for_servers(seconds).wait_out(lambda: verbs.open_named_run(arguments))

    def report() -> int:
        return subprocess.run([*REPORT, urls.run_url(store.url, run.name)], check=False).returncode

    more = {"refresh": settings.refresh_seconds, "own": arguments.job, "outage_seconds": seconds}
    care = Caretaker(stopper=Stopper(minutes=settings.hopeless_minutes), notify=settings.notify)
    with wait_for_servers(seconds).wait_out(lambda: connect_as_set(settings)) as kube:
        return Collector(kube=kube, store=store, run=run, report=report, care=care, **more).collect()


if __name__ == "__main__":
    run_program(main)
