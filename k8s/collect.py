"""``python -m k8s.collect --run URL``: watches a run's Jobs and keeps its report fresh until they have ended, whatever failed.

It runs in a pod of the aggregator's image, where nobody watches. It also writes down what ended pods that could leave no
record themselves: after a while Kubernetes forgets them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from experiment import keys, records
from experiment.assignment import read_assignments
from experiment.ledger import committed_ids, read_failures
from experiment.run import Run
from experiment.store import Store
from k8s import verbs
from k8s.cluster import jobs, postmortem
from k8s.cluster.kube import Kube, connect
from k8s.manifests import names, sources
from k8s.manifests.names import Manifest

POLL = 10.0  # seconds between two looks at the Jobs
REPORT = (sys.executable, "-m", "aggregator", "--run")


@dataclass(frozen=True, kw_only=True)
class Collector:
    """What collecting needs: clients, the program that reports, and a clock."""

    kube: Kube
    store: Store
    frozen: Run
    report: Callable[[], int]
    refresh: float = 60.0
    poll: float = POLL
    own: str = ""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def run(self) -> int:
        """Reports whenever cells have landed, and a last time when no Job trains any more; the exit code of that."""
        seen: object = None
        last = float("-inf")
        while True:
            found = self.kube.list("Job", names.selector(self.frozen.name))
            if self._replaced(found):
                say("a younger collecting Job goes on with this run")
                return 0
            training = any(jobs.part(j, names.TRAINER) and not jobs.finished(j) for j in found)
            self.write_down()
            news = (len(committed_ids(self.store, self.frozen.grid.cells)), [sorted(jobs.failed(j)) for j in found])
            if not training:
                return self.report()
            if seen is None:
                seen = (0, news[1]) if news[0] == 0 else None
            if news != seen and self.clock() - last >= self.refresh:
                say(f"{news[0]} of {len(self.frozen.grid.cells)} cells done")
                code = self.report()
                if code:
                    say(f"the report could not be made (exit code {code}); it is tried again with the next cells")
                seen, last = news, self.clock()
            self.sleep(self.poll)

    def _replaced(self, found: Sequence[Manifest]) -> bool:
        """Whether a later launch has brought a collecting Job of its own."""
        mine = [j["metadata"]["creationTimestamp"] for j in found if jobs.name(j) == self.own]
        others = [j for j in found if jobs.part(j, names.COLLECT) and jobs.name(j) != self.own and not jobs.finished(j)]
        return bool(mine) and any(str(j["metadata"]["creationTimestamp"]) > str(mine[0]) for j in others)

    def write_down(self) -> None:
        """Writes a failure record for every pod that failed and left none."""
        pods = self.kube.list("Pod", names.selector(self.frozen.name, names.TRAINER))
        assignments = read_assignments(self.store, self.frozen.name) if pods else {}
        dead = [
            (p, f)
            for p in pods
            if (a := assignments.get(jobs.label(p, names.JOB))) and (f := self._failure(p, a.indexes))
        ]
        known, _ = read_failures(self.store, {f.cell for _, f in dead})
        for _, failure in dead:
            if failure.attempt not in {f.attempt for f in known.get(failure.cell, ())}:
                data = records.to_bytes(failure)
                self.store.put_once(keys.failure(failure.cell, failure.attempt), data, failure.attempt)
                say(f"{failure.cell}: {failure.message}")

    def _failure(self, pod: Manifest, indexes: Sequence[int]) -> records.Failure | None:
        position = int(jobs.label(pod, names.INDEX) or -1)
        if not 0 <= position < len(indexes):
            return None
        return postmortem.of_pod(pod, self.frozen.grid.cells[indexes[position]].id)


def say(text: str) -> None:
    """Prints a line at once: a pod's log is read while it runs."""
    print(text, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Collects; returns the exit code of the last report."""
    parser = argparse.ArgumentParser(
        prog="python -m k8s.collect", description="Keeps a run's report fresh.", allow_abbrev=False
    )
    verbs.add_run(parser)
    parser.add_argument("--job", default="", metavar="NAME", help="the collecting Job that this is")
    sources.add_arguments(parser, "context", "namespace", "refresh_seconds")
    return verbs.run(collect, parser.parse_args(argv))


def collect(arguments: argparse.Namespace) -> int:
    """Connects and collects."""
    store, frozen, settings = verbs.opened(arguments)

    def report() -> int:
        return subprocess.run([*REPORT, keys.run_url(store.url, frozen.name)], check=False).returncode

    with connect(settings.context, settings.namespace) as kube:
        return Collector(
            kube=kube, store=store, frozen=frozen, report=report, refresh=settings.refresh_seconds, own=arguments.job
        ).run()


if __name__ == "__main__":
    raise SystemExit(main())
