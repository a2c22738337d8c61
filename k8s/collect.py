"""``python -m k8s.collect --run URL``: keeps a run's report fresh until its Jobs have ended, whatever failed.

It runs in a pod of the aggregator's image. It also records why pods ended that were killed before they could do so
themselves, because Kubernetes forgets it after a while.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from experiment import keys, records
from experiment.ledger import committed_ids, read_failures
from experiment.program import CommandLine, run_program
from experiment.run import Run
from experiment.store import Store
from k8s import verbs
from k8s.cluster import postmortem
from k8s.cluster.connect import connect_cluster
from k8s.cluster.kube import Kube
from k8s.cluster.observe import read_known_assignments
from k8s.manifests import jobs, names, sources
from k8s.manifests.names import Manifest
from k8s.wording import count_done

POLL = 10.0  # seconds between two looks at the Jobs
REPORT = (sys.executable, "-m", "aggregator", "--run")


@dataclass(frozen=True, kw_only=True)
class Collector:
    """Watches a run's Jobs and has its report made.

    Attributes:
        report: makes the report and returns its exit code.
        refresh: least seconds between two reports.
        own: the name of the collecting Job whose pod this is; empty outside a cluster.
    """

    kube: Kube
    store: Store
    run: Run
    report: Callable[[], int]
    refresh: float = 60.0
    poll: float = POLL
    own: str = ""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _named: set[str] = field(default_factory=set)  # keys of damaged records that were named

    def collect(self) -> int:
        """Reports whenever cells are done or failed, and once more when no Job trains; returns the last report's exit code."""
        seen: object = None
        last = float("-inf")
        while True:
            found = self.kube.list("Job", names.run_selector(self.run.name))
            if self._replaced(found):
                print("a newer collecting Job has taken over this run", flush=True)
                return 0
            training = any(jobs.is_part(j, names.TRAINER) and not jobs.has_ended(j) for j in found)
            self.record_failures()
            done = len(committed_ids(self.store, self.run.grid.cells))
            news = (done, [sorted(jobs.failed_indexes(j)) for j in found])
            if not training:
                return self.report()
            if seen is None:
                seen = (0, news[1]) if done == 0 else None
            if news != seen and self.clock() - last >= self.refresh:
                print(count_done(done, len(self.run.grid.cells)), flush=True)
                self._report()
                seen, last = news, self.clock()
            self.sleep(self.poll)

    def _report(self) -> None:
        code = self.report()
        if code:
            print(f"the report failed with exit code {code}; it is tried again when further cells end", flush=True)

    def _replaced(self, found: Sequence[Manifest]) -> bool:
        """Returns whether a later launch has brought a collecting Job of its own."""
        mine = [j for j in found if jobs.object_name(j) == self.own]
        collecting = [j for j in found if jobs.is_part(j, names.COLLECT) and not jobs.has_ended(j)]
        return bool(mine) and any(_created(j) > _created(mine[0]) for j in collecting if j is not mine[0])

    def record_failures(self) -> None:
        """Writes a failure record for every failed pod that left none; names failure records that cannot be read."""
        pods = self.kube.list("Pod", names.run_selector(self.run.name, names.TRAINER))
        assignments, damaged = read_known_assignments(self.store, self.run.name) if pods else ({}, [])
        ended = []
        for pod in pods:
            assignment = assignments.get(jobs.label_of(pod, names.JOB))
            failure = self._failure(pod, assignment.indexes) if assignment else None
            ended += [failure] if failure else []
        known, problems = read_failures(self.store, {f.cell for f in ended})
        verbs.print_warnings(p for p in (*damaged, *problems) if p.key not in self._named)
        self._named.update(p.key for p in (*damaged, *problems))
        for failure in ended:
            if failure.attempt not in {f.attempt for f in known.get(failure.cell, ())}:
                key = keys.failure(failure.cell, failure.attempt)
                self.store.put_once(key, records.to_bytes(failure), failure.attempt)
                print(f"{failure.cell}: {failure.message}", flush=True)

    def _failure(self, pod: Manifest, indexes: Sequence[int]) -> records.Failure | None:
        position = int(jobs.label_of(pod, names.INDEX) or -1)
        if not 0 <= position < len(indexes):
            return None
        return postmortem.failure_of_pod(pod, self.run.grid.cells[indexes[position]].id)


def _created(job: Manifest) -> str:
    return str(job["metadata"]["creationTimestamp"])


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
    sources.add_setting_flags(parser, "context", "namespace", "refresh_seconds")
    return verbs.run_verb(collect_run, parser.parse_args(argv))


def collect_run(arguments: argparse.Namespace) -> int:
    """Connects to the cluster and collects."""
    store, run, settings = verbs.open_named_run(arguments)

    def report() -> int:
        return subprocess.run([*REPORT, keys.run_url(store.url, run.name)], check=False).returncode

    refresh, own = settings.refresh_seconds, arguments.job
    with connect_cluster(settings.context, settings.namespace) as kube:
        return Collector(kube=kube, store=store, run=run, report=report, refresh=refresh, own=own).collect()


if __name__ == "__main__":
    run_program(main)
