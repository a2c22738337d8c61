"""The API server and etcd are killed and come back: a launch, its ``--wait`` and the collecting Job wait for them and go on.

``CLUSTER_OUTAGE=300`` makes each of the outages five minutes long.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from experiment import keys
from k8s import collect, wait
from k8s.cluster.connect import connect_cluster
from k8s.cluster.kube import Kube
from k8s.manifests import jobs, names
from tests.cluster.parts import Parts, kubectl
from tests.cluster.simulated_run import cell

SECONDS = float(os.environ.get("CLUSTER_OUTAGE", "10"))
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(600 + 4 * SECONDS),
    # Python leaves it to its collector to close a socket whose peer dies within its TLS handshake.
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),
]
CELLS = 3


class Outage:
    """A part of the control plane that is killed, and is back ``SECONDS`` later."""

    def __init__(self, home: Path, part: str) -> None:
        self.home, self.part = home, part
        self.begun, self._back = threading.Event(), threading.Event()
        self._back.set()

    def begin(self) -> None:
        """Kills the part, and has it started again."""
        self._back.clear()
        self.begun.set()
        Parts(self.home).kill(self.part)
        threading.Timer(SECONDS, self._end).start()

    def _end(self) -> None:
        parts = Parts(self.home)
        parts.start_again(self.part)
        parts.wait(self.part, lambda: kubectl(self.home, "get", "--raw", "/readyz") == "ok")
        self._back.set()

    def is_over(self) -> bool:
        """Whether the control plane answers again; waits for it."""
        return self._back.wait(SECONDS + 180)


@pytest.fixture(params=["kube-apiserver", "etcd"])
def outage(request, run):
    made = Outage(run.home, request.param)
    yield made
    assert made.is_over()


@pytest.fixture
def broken_launch(outage, monkeypatch):
    """The outage comes between the first Job of the launch and the second."""
    create, made = Kube.create, []

    def create_and_break(self, manifest, *, dry_run=False):
        created = create(self, manifest, dry_run=dry_run)
        if not dry_run and manifest["kind"] == "Job":
            made.append(manifest["metadata"]["name"])
            if len(made) == 1:
                outage.begin()
        return created

    monkeypatch.setattr(Kube, "create", create_and_break)
    return made


def collect_run(run):
    """What the pod of the collecting Job does, with a page in place of the report."""
    own = jobs.object_name(run.jobs(names.COLLECT)[0])

    def report():
        run.store.put(keys.report(run.name), b"<html>")
        return 0

    with connect_cluster("", run.namespace) as kube:
        made = collect.Collector(kube=kube, store=run.store, run=run.launched(), report=report, poll=0.5, own=own)
        return made.collect()


def end_collecting_pod(run):
    pods = run.until(
        lambda: [
            p
            for p in run.kube.list("Pod", names.run_selector(run.name, names.COLLECT))
            if p["status"]["phase"] == "Running"
        ],
        "the collecting pod",
    )
    run.end_container(pods[0], "collect", 0)


def play_nodes(run, outage):
    """Another outage while the run is watched and collected, and then the end of its pods."""
    assert outage.begun.wait(180)
    assert outage.is_over()
    run.until(lambda: len(run.jobs(names.COLLECT)) == 1, "the whole launch")
    run.end_preparation(0)
    run.finish(run.running(0))
    with ThreadPoolExecutor(1) as pool:
        collecting = pool.submit(collect_run, run)
        time.sleep(2)
        outage.begin()
        assert outage.is_over()
        run.finish_all()
        assert collecting.result(SECONDS + 120) == 0
    end_collecting_pod(run)


def test_a_launch_its_watcher_and_the_collecting_job_outlive_two_outages(run, outage, broken_launch):
    with ThreadPoolExecutor(1) as pool:
        playing = pool.submit(play_nodes, run, outage)
        code, said = run.launch("--wait", cells=CELLS, prepares=True)
        playing.result(60)

    print(said)  # for whoever runs it by hand
    lines = said.splitlines()
    assert (code, len(broken_launch)) == (0, 3)
    assert [sum(1 for line in lines if line == f"created Job {name}") for name in broken_launch] == [1, 1, 1]
    assert [
        jobs.object_name(j) for part in (names.PREPARE, names.TRAINER, names.COLLECT) for j in run.jobs(part)
    ] == broken_launch
    assert f"{CELLS} of {CELLS} cells done" in said
    # Without etcd the API server holds a request for a minute before it answers that it cannot.
    assert "the API server is back after " in said or (outage.part == "etcd" and SECONDS < 60)
    assert "Traceback" not in said
    committed = [k for k in run.store.list("results/") if k.endswith("epochs.parquet")]
    assert sorted(committed) == sorted(keys.epochs(cell(seed)) for seed in range(CELLS))
    assert list(run.store.list(keys.FAILURES)) == []
    assert jobs.completed_indexes(run.job()) == set(range(CELLS))


def test_a_run_is_attached_to_again_without_settings(run):
    run.launch(cells=1)
    run.finish(run.running(0))
    run.store.put(keys.report(run.name), b"<html>")
    end_collecting_pod(run)

    code, said = run.verb(wait.main, "--run", f"{run.store.url}/runs/{run.name}")

    assert (code, "1 of 1 cells done" in said) == (0, True), said
