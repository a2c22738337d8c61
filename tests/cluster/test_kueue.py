"""Runs in a queue, with the real Kueue controller: admitted within quota, narrowed, evicted, readmitted, nothing trained twice."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path

import pytest
import yaml

from experiment import keys
from experiment.spending import Spent, spent_to_bytes
from k8s import cancel, status
from k8s.cluster import observe
from k8s.cluster.events import read_said
from k8s.cluster.hopeless import Stopper
from k8s.collect import Collector
from k8s.manifests import jobs, names
from k8s.manifests.names import parse_indexes
from tests.cluster import cluster, kueue
from tests.cluster.parts import kubectl
from tests.cluster.simulated_run import SimulatedRun

pytestmark = pytest.mark.cluster
ROOM = {"cpu": "1000", "memory": "10Ti"}
PRIORITY = {"apiVersion": kueue.API, "kind": "WorkloadPriorityClass", "metadata": {"name": "urgent"}, "value": 1000}


@pytest.fixture(scope="module")
def queued_cluster(tmp_path_factory):
    """The home of a control plane with 3 simulated nodes of 8 GPUs and Kueue."""
    absent = [*cluster.missing(), *kueue.missing()]
    if absent:
        pytest.skip(f"no Kueue: {', '.join(absent)} not in {cluster.BIN}: make cluster builds them")
    home = tmp_path_factory.mktemp("kueue")
    parts = cluster.up(home, kwok=3)
    try:
        kueue.start(home, parts)
        kubectl(home, "create", "-f", "-", stdin=json.dumps(PRIORITY))
        yield home
    finally:
        cluster.down(home)


class Queue:
    """A cluster queue, and labs whose launches wait in it."""

    def __init__(self, home, name):
        self.home, self.name, self.runs = home, name, []

    def set_quota(self, gpus, **spec):
        documents = kueue.queue(self.name, {"nvidia.com/gpu": str(gpus), **ROOM}, **spec)
        kubectl(
            self.home, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(documents)
        )

    def enter(self, run):
        run.set_up()
        self.runs.append(run)
        kubectl(self.home, "create", "-f", "-", stdin=json.dumps(kueue.local_queue(run.namespace, "grids", self.name)))
        return run

    def stop(self, policy):
        patch = json.dumps({"spec": {"stopPolicy": policy}})
        kubectl(self.home, "patch", "clusterqueue", self.name, "--type=merge", "-p", patch)


@pytest.fixture
def queue(queued_cluster, monkeypatch, tmp_path):
    """A cluster queue of its own for a test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(queued_cluster / "admin.kubeconfig"))
    made = Queue(queued_cluster, f"queue-{uuid.uuid4().hex[:8]}")
    yield made
    for run in made.runs:
        run.tear_down()
    kubectl(queued_cluster, "delete", "clusterqueue", made.name, "--wait=false")


@pytest.fixture
def new_run(queued_cluster, minio_server, bucket_on, capsys):
    """Makes a lab in a namespace and a bucket of its own."""
    return lambda: SimulatedRun(queued_cluster, f"lab-{uuid.uuid4().hex[:8]}", bucket_on(minio_server), capsys)


def active(run):
    """The completion indexes with a live pod."""
    return {
        int(jobs.label_of(p, names.INDEX))
        for p in run.pods()
        if p["status"]["phase"] in ("Pending", "Running") and "deletionTimestamp" not in p["metadata"]
    }


def suspended(run):
    """The lab's trainer Job, once it is suspended and has no live pod."""
    return run.until(lambda: (j := run.job())["spec"]["suspend"] and not active(run) and j, "a suspended Job")


def completed(run):
    """The completion indexes that the lab's trainer Job counts as done."""
    return parse_indexes(run.job()["status"].get("completedIndexes"))


def pods_per_index(run):
    """How many pods each index has had, as far as the API server remembers."""
    found = [int(jobs.label_of(p, names.INDEX)) for p in run.pods()]
    return {index: found.count(index) for index in found}


@pytest.mark.parametrize("gpus", [3, 1])
def test_a_run_wider_than_the_quota_is_narrowed_to_it_and_completes_every_cell_once(queue, new_run, gpus):
    queue.set_quota(gpus)
    run = queue.enter(new_run())

    code, said = run.launch("--queue", "grids", "--queue-minimum", "1", cells=6)
    assert code == 0, said
    run.until(lambda: len(active(run)) == gpus, f"{gpus} live pods")

    widest = 0
    for _ in range(6):
        live = active(run)
        widest = max(widest, len(live))
        first = min(live)
        run.finish(run.running(first))
        run.until(lambda index=first: index in completed(run), f"the completion of {first}")
    job = run.until_ended()

    assert job["spec"]["parallelism"] == gpus
    assert widest <= gpus
    assert job["status"]["completedIndexes"] == "0-5"
    assert pods_per_index(run) == dict.fromkeys(range(6), 1)


def test_a_run_that_may_not_be_narrowed_waits_whole_and_its_status_says_why(queue, new_run):
    queue.set_quota(2)
    run = queue.enter(new_run())

    assert run.launch("--queue", "grids", "--queue-minimum", "0", cells=3)[0] == 0
    suspended(run)
    said = run.until(lambda: "waits in its queue" in (s := run.of_run(status.main)[1]) and s, "Kueue's reason")

    assert "waits in its queue: couldn't assign flavors to pod set main: insufficient quota for nvidia.com/gpu" in said
    assert run.pods() == []

    queue.set_quota(3)
    run.until(lambda: len(active(run)) == 3, "three live pods")


def test_a_hopeless_job_in_a_queue_ends_and_gives_its_quota_back(queue, new_run):
    queue.set_quota(1)
    first, second = queue.enter(new_run()), queue.enter(new_run())
    Path("patch.yaml").write_text("spec: {hostNetwork: true}")  # Pod Security refuses its pods
    assert first.launch("--queue", "grids", "--pod-patch", "patch.yaml", cells=1)[0] == 0
    look = observe.Observer(first.store, first.launched(), first.kube).observe
    stopper = Stopper(minutes=1e-6)

    def end() -> bool:
        view = look()
        stopper.stop_jobs(first.kube, view.jobs, view.pods, read_said(first.kube, view.jobs, view.pods))
        return bool(jobs.true_condition(first.job(), "Failed"))

    first.until(end, "the end of the Job")
    assert second.launch("--queue", "grids", cells=1)[0] == 0
    assert second.running(0)


def test_a_run_at_its_ceiling_that_waits_in_its_queue_is_removed_and_its_cells_say_why(queue, new_run):
    queue.set_quota(0)
    run = queue.enter(new_run())
    assert run.launch("--queue", "grids", "--max-dollars", "10", cells=2)[0] == 0
    suspended(run)
    earlier = Spent(job="earlier", dataset="digits", price=10.0, seconds=3600.0)
    run.store.put(keys.report(run.name, keys.SPENT), spent_to_bytes([earlier]))

    collector = Collector(kube=run.kube, store=run.store, run=run.launched(), report=lambda: 0, poll=0.2)
    assert collector.collect() == 0

    run.until(lambda: not run.jobs(), "the Job's removal")
    said = run.of_run(status.main)[1]
    assert (
        said.count("; before: its Job was ended, because the run has taken $10.00, and its max_dollars is $10.00") == 2
    )


def test_a_run_evicted_from_its_queue_and_readmitted_trains_no_finished_cell_again(queue, new_run):
    queue.set_quota(2)
    run = queue.enter(new_run())
    assert run.launch("--queue", "grids", "--queue-minimum", "1", cells=5)[0] == 0
    for index in (0, 1):
        run.finish(run.running(index))
    cut = {run.running(index)["metadata"]["uid"] for index in (2, 3)}

    queue.stop("HoldAndDrain")
    job = suspended(run)
    assert job["status"]["completedIndexes"] == "0,1"

    queue.stop("None")
    run.finish_all()
    job = run.until_ended()

    assert job["status"]["completedIndexes"] == "0-4"
    assert jobs.true_condition(job, "Complete")
    assert {index: n for index, n in pods_per_index(run).items() if index in (0, 1)} == {0: 1, 1: 1}
    assert not cut & {p["metadata"]["uid"] for p in run.pods() if p["status"]["phase"] == "Succeeded"}
    assert not job["status"].get("failedIndexes")


def test_a_run_that_waits_for_another_enters_its_queue_only_when_that_has_ended(queue, new_run):
    queue.set_quota(8)
    run = queue.enter(new_run())
    assert run.launch("--queue", "grids", cells=2)[0] == 0
    run.running(0)
    first, run.name = run.name, "more"
    code, said = run.launch("--queue", "grids", cells=3)
    assert code == 0, said
    run.finish(run.running(0))
    (waiting,) = [j for j in run.jobs() if jobs.waits_for(j)]
    time.sleep(2)  # with room in the queue, Kueue would have started it
    assert run.pods(job=jobs.object_name(waiting)) == []

    run.name = first
    run.of_run(cancel.main)
    run.name = "more"
    assert "started" in run.launch("--queue", "grids", cells=3)[1]

    run.finish_all(jobs.object_name(waiting))
    ended = run.kube.get("Job", jobs.object_name(waiting))
    assert (ended["status"]["completedIndexes"], jobs.label_of(ended, names.QUEUE)) == ("0,1", "grids")


def test_an_urgent_run_takes_the_place_of_another_which_comes_back_after_it(queue, new_run):
    queue.set_quota(2, preemption={"withinClusterQueue": "LowerPriority"})
    run, urgent = queue.enter(new_run()), queue.enter(new_run())
    assert run.launch("--queue", "grids", "--queue-minimum", "1", cells=4)[0] == 0
    run.finish(run.running(0))
    run.running(1)

    assert urgent.launch("--queue", "grids", "--queue-minimum", "1", "--queue-priority", "urgent", cells=2)[0] == 0
    urgent.running(0)
    job = suspended(run)
    assert job["status"]["completedIndexes"] == "0"

    urgent.finish_all()
    run.finish_all()
    job = run.until_ended()

    assert job["status"]["completedIndexes"] == "0-3"
    assert pods_per_index(run)[0] == 1
    assert not job["status"].get("failedIndexes")
