"""A trainer Job takes no node until its data set is prepared; where that fails, it goes, and its cells say why."""

from __future__ import annotations

import pytest

from experiment import keys
from experiment.assignment import Assignment
from experiment.ledger import read_failures
from experiment.run import read_run
from k8s.cluster import handover
from k8s.cluster.connect import connect_cluster
from k8s.cluster.preparation import find_preparing_job
from k8s.manifests import jobs, names
from tests.k8s.cluster_objects import ended

TRAINER, PREPARE = "mine-digits-1", "mine-prepare-digits"
COMPLETE = [{"type": "Complete", "status": "True"}]
FAILED = [{"type": "Failed", "status": "True", "message": "Pod failed: exit code 42"}]
BAD = [{**ended(42, message="error: mnist.npz: sha256 differs")[0], "name": names.PREPARE}]


@pytest.fixture
def scene(api, launched):
    """Run ``mine`` has a suspended Job for cells 0 and 2 of grid smoke."""
    add(api, TRAINER, names.TRAINER, waits_for=f"mine/{PREPARE}")
    launched.put(keys.assignment("mine", TRAINER), Assignment(run="mine", job=TRAINER, indexes=(0, 2)).to_bytes())
    with connect_cluster("", "ensembles") as kube:
        yield Scene(api, launched, kube)


def add(api, name, part, waits_for="", queue="", **status):
    notes = {names.WAITS_FOR: waits_for, names.WAITS_QUEUE: queue}
    labels = {**names.run_labels("mine", part), names.DATASET: "digits"}
    metadata = {"name": name, "uid": f"uid-of-{name}", "creationTimestamp": "2026-11-01T11:00:00Z", "labels": labels}
    metadata["annotations"] = {k: v for k, v in notes.items() if v}
    api.add("jobs", {"metadata": metadata, "spec": {"suspend": bool(waits_for)}, "status": status})


class Scene:
    def __init__(self, api, store, kube):
        self.api, self.store, self.kube = api, store, kube

    def settle(self):
        found = self.kube.list("Job", names.run_selector("mine"))
        assignments = {TRAINER: Assignment(run="mine", job=TRAINER, indexes=(0, 2))}
        return handover.settle_waiting_jobs(self.kube, self.store, read_run(self.store, "mine"), found, assignments)

    def failures(self):
        cells = read_run(self.store, "mine").grid.cells
        found, problems = read_failures(self.store, {c.id for c in cells})
        assert not problems
        return {c: [(f.kind, f.exit_code, f.message) for f in told] for c, told in found.items() if told}

    def ids(self):
        return {read_run(self.store, "mine").grid.cells[i].id for i in (0, 2)}


def test_a_job_waits_while_its_data_set_is_prepared_and_starts_when_that_is_done(scene):
    add(scene.api, PREPARE, names.PREPARE)
    assert scene.settle() == []

    add(scene.api, PREPARE, names.PREPARE, conditions=COMPLETE)
    assert scene.settle() == [f"started {TRAINER}: digits is prepared"]

    job = scene.kube.get("Job", TRAINER)
    assert (job["spec"]["suspend"], jobs.waits_for(job)) == (False, "")
    assert scene.settle() == []


def test_a_job_of_a_queue_enters_it_then_and_is_the_queues_to_start(scene):
    add(scene.api, TRAINER, names.TRAINER, waits_for=f"mine/{PREPARE}", queue="gpus")
    add(scene.api, PREPARE, names.PREPARE, conditions=COMPLETE)

    assert scene.settle() == [f"started {TRAINER}: digits is prepared"]
    job = scene.kube.get("Job", TRAINER)
    assert (job["spec"]["suspend"], jobs.label_of(job, names.QUEUE)) == (True, "gpus")


def test_a_data_set_that_cannot_be_prepared_fails_its_cells_with_the_last_words_of_the_pod(scene):
    add(scene.api, PREPARE, names.PREPARE, conditions=FAILED)
    labels = {**names.run_labels("mine", names.PREPARE), names.JOB: PREPARE}
    metadata = {"name": "p", "uid": "u", "creationTimestamp": "2026-11-01T11:00:01Z", "labels": labels}
    status = {"phase": "Failed", "containerStatuses": BAD}
    scene.api.add("pods", {"metadata": metadata, "spec": {"containers": []}, "status": status}, "/api/v1")
    why = f"digits could not be prepared: exit code 42: error: mnist.npz: sha256 differs (Job {PREPARE})"

    assert scene.settle() == [f"removed {TRAINER}: {why}; launch again when that is mended"]
    assert scene.failures() == {cell: [("invalid", 42, why)] for cell in scene.ids()}
    assert TRAINER not in scene.api.names("jobs")


@pytest.mark.parametrize(
    ("status", "why"),
    [({"conditions": FAILED}, "Pod failed: exit code 42 (Job"), (None, f"Job {PREPARE} is gone")],
)
def test_without_a_pod_or_a_job_that_says_more_what_is_known_is_said(scene, status, why):
    if status:
        add(scene.api, PREPARE, names.PREPARE, **status)

    (line,) = scene.settle()
    assert why in line
    assert scene.failures().keys() == scene.ids()


def test_a_job_whose_preparing_job_is_gone_starts_if_the_store_has_the_data_set(scene):
    scene.store.put(keys.dataset("digits", "0" * 64), b"")
    scene.store.put(keys.dataset_manifest("digits"), b"{}")

    assert scene.settle() == [f"started {TRAINER}: digits is prepared"]


def test_the_latest_preparing_job_of_the_data_set_is_found(scene):
    job = scene.kube.get("Job", TRAINER)
    assert find_preparing_job(job, [job]) is None

    earlier, later, other = ({"metadata": {"name": n, "labels": {names.PART: names.PREPARE}}} for n in "abc")
    for made, hour, dataset in ((earlier, 10, "digits"), (later, 11, "digits"), (other, 12, "mnist")):
        made["metadata"]["creationTimestamp"] = f"2026-11-01T{hour}:00:00Z"
        made["metadata"]["labels"][names.DATASET] = dataset
    assert find_preparing_job(job, [later, earlier, other, job]) is later
