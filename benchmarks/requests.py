"""Requests to the store and to the API server: ``python -m benchmarks.requests [--cells 4 1000] [--others 0 2000]``.

A run half done, a counting proxy before a real S3 server (moto), and the tests' API server. ``--wait`` and the collecting
Job are charged by the look and by the minute: at a run's start, and after half an hour when looks have grown rare. Status,
plan and the aggregator's reading are charged once. ``--others`` are results of other runs in the same store.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import boto3

from aggregator.reading.run import read_run_results
from benchmarks.faults import start_server
from experiment.ledger import LedgerReader
from experiment.retry import LONGEST_LOOK_PAUSE
from experiment.s3 import S3Store
from k8s import collect
from k8s.cluster import watch
from k8s.cluster.connect import connect_cluster
from k8s.cluster.kube import Kube
from k8s.cluster.observe import REFRESH, Observer, observe_reachable
from k8s.manifests import names
from k8s.planning.survey import survey_store
from tests.counted_run import CountedRun
from tests.counting import CountingProxy
from tests.k8s.api_server import ApiServer


def count_looks(
    run: CountedRun, look: Callable[[], object], title: str, every: float, refresh: Callable[[], None]
) -> None:
    """Prints what a reader that looks again and again costs: its first look, the next, and the minute early and late."""
    look()
    first, first_api = run.take()
    look()
    quiet, quiet_api = run.take()
    refresh()
    look()
    full, full_api = run.take()
    early = minute_of(quiet.total(), full.total(), every)
    late = minute_of(quiet.total(), full.total(), LONGEST_LOOK_PAUSE)
    api = [minute_of(quiet_api, full_api, pause) for pause in (every, LONGEST_LOOK_PAUSE)]
    per_cell = late / run.cells
    print(
        f"{title:14} {run.cells:5} {first.total():7} {quiet.total():7} {full.total():7} {early:8.0f} {late:8.0f} {per_cell:9.2f}"
        f" {first_api:6} {api[0]:8.0f} {api[1]:8.0f}",
        flush=True,
    )


def minute_of(quiet: float, full: float, every: float) -> float:
    """Returns the requests of a minute of looks, of which one each ``REFRESH`` seconds reads progress and pods again."""
    fresh = 60 / max(REFRESH, every)
    return fresh * full + (60 / every - fresh) * quiet


def count_once(run: CountedRun, read: Callable[[], object], title: str) -> None:
    """Prints what a reader costs that reads once."""
    read()
    store, api = run.take()
    kinds = ", ".join(f"{n} {what}" for what, n in sorted(store.items()))
    print(f"{title:14} {run.cells:5} {store.total():7}   ({kinds}) {api:3} to the API server", flush=True)


def count_run(run: CountedRun, kube: Kube) -> None:
    """Prints all readers of one run."""
    now = [0.0]

    def refresh() -> None:
        now[0] += REFRESH

    observer = Observer(run.store, run.run, kube, clock=lambda: now[0])
    count_looks(run, observer.observe, "--wait", watch.POLL, refresh)
    ledger = LedgerReader(run.store, run.run.grid.cells)
    collector = collect.Collector(kube=kube, store=run.store, run=run.run, report=lambda: 0)

    def collect_once() -> None:
        kube.list("Job", names.run_selector(run.run.name))
        collector.record_failures()
        ledger.read_committed()

    count_looks(run, collect_once, "collecting Job", collect.POLL, refresh)
    count_once(run, lambda: observe_reachable(run.store, run.run, kube), "k8s.status")
    count_once(run, lambda: survey_store(run.store, run.run.grid, retry_diverged=False), "a launch's plan")
    count_once(run, lambda: read_run_results(run.store, run.run, dt.datetime.now(dt.UTC)), "a report")


def main() -> None:
    """Counts and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, nargs="+", default=[4, 1000])
    parser.add_argument("--others", type=int, nargs="+", default=[0, 2000])
    arguments = parser.parse_args()
    server = start_server()
    with tempfile.TemporaryDirectory() as folder, CountingProxy(server, prefix="store") as proxy:
        os.environ["AWS_ENDPOINT_URL"] = proxy.url
        for others in arguments.others:
            print(f"among {others:,} results of other runs: requests to the store, then to the API server")
            print(
                f"{'':14} {'cells':>5} {'first':>7} {'next':>7} {'30 s':>7} {'/min':>8} {'later':>8} {'/cell/min':>9}",
                end="",
            )
            print(f" {'first':>6} {'/min':>8} {'later':>8}")
            for cells in arguments.cells:
                api = ApiServer()
                os.environ["KUBECONFIG"] = str(api.write_kubeconfig(Path(folder) / "kubeconfig"))
                bucket = f"run-{cells}-{others}"
                client = boto3.client("s3")
                client.create_bucket(Bucket=bucket)
                with contextlib.closing(client), connect_cluster("", "ensembles") as kube:
                    count_run(CountedRun(proxy, S3Store(f"s3://{bucket}/store"), api, cells=cells, others=others), kube)
                api.stop()
    os._exit(0)  # the server's threads do not end by themselves


if __name__ == "__main__":
    main()
