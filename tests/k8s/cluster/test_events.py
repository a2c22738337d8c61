"""What the cluster says of a run is asked for only where something waits without a reason, and is put into words."""

from __future__ import annotations

import pytest

from experiment.errors import Misconfigured
from experiment.run import read_run
from k8s.cluster.connect import connect_cluster
from k8s.cluster.events import describe_workloads, find_refusals, needs_events, read_said
from k8s.cluster.observe import observe_reachable
from k8s.cluster.states import cell_states
from k8s.manifests import names
from tests.k8s.cluster_objects import JOB, job, pod, warning

QUOTA = 'Error creating: pods "r-digits-0-abcde" is forbidden: exceeded quota: none, requested: pods=1'
REFUSED = warning("j", "FailedCreate", QUOTA)
EVENTS = "/api/v1/namespaces/ensembles/events"
FULL = {"active": 3}


@pytest.fixture
def kube(api):
    with connect_cluster("", "ensembles") as made:
        yield made


def tell(api, *events):
    for event in events:
        api.add("events", event, group="/api/v1")


def asked(api):
    return [path for _, path in api.requests if path == EVENTS]


def test_events_are_asked_for_once_and_only_where_something_waits_without_a_reason(api, kube):
    tell(api, REFUSED)
    trains, unscheduled = pod(0), [{"type": "PodScheduled", "status": "False", "message": "no node"}]

    read_said(kube, [job(**FULL)], [trains, pod(1, phase="Pending", conditions=unscheduled)])
    read_said(kube, [job(spec={"suspend": True})], [])
    read_said(kube, [job(active=1, completedIndexes="0,2")], [])
    assert asked(api) == []

    said = read_said(kube, [job(active=1)], [trains])
    assert said.refused == {"j": "FailedCreate: exceeded quota: none, requested: pods=1"}
    assert asked(api) == [EVENTS]
    assert needs_events([job(**FULL)], [pod(1, phase="Pending")])


def test_the_newest_warning_of_a_pod_counts(api, kube):
    older = warning("u", "FailedScheduling", "no node", last="2026-11-01T11:20:00Z")
    tell(api, warning("u", "FailedMount", "MountVolume.SetUp failed:\n secret not found"), older)

    said = read_said(kube, [job(**FULL)], [pod(0, phase="Pending")])

    assert said.warnings == {"u": "FailedMount: MountVolume.SetUp failed: secret not found"}


@pytest.mark.parametrize(
    ("found", "pods", "counts"),
    [
        (job(active=1), [pod(0)], True),
        (job(active=1), [{**pod(0, created="2026-11-01T11:55:00Z")}], False),
        (job(**FULL), [pod(0)], False),
    ],
    ids=["current", "older than a pod", "no pod lacks"],
)
def test_a_refusal_counts_while_it_lasts(found, pods, counts):
    assert bool(find_refusals({"j": REFUSED}, [found], pods)) is counts


def test_who_may_not_list_events_gets_a_sentence_and_the_rest_of_the_status(api, kube, launched, monkeypatch):
    answer, forbidden = api.answer, (403, {"message": "events is forbidden: User cannot list resource"})
    monkeypatch.setattr(api, "answer", lambda *asked: forbidden if asked[1] == EVENTS else answer(*asked))
    waiting = {"metadata": {"name": JOB, "labels": names.run_labels("mine", names.TRAINER)}, "spec": {}, "status": {}}
    api.add("jobs", waiting)
    view = observe_reachable(launched, read_run(launched, "mine"), kube)

    (problem,) = view.problems
    assert problem.reason.startswith(
        "this user may not list events, so what keeps pods from being created is not shown"
    )
    assert problem.reason.endswith("; python -m k8s.setup --namespace ensembles --apply gives the right")
    assert len(cell_states(view)) == 4
    with pytest.raises(Misconfigured):
        kube.glance("Event")


def test_events_that_cannot_be_read_at_this_moment_are_missed_without_a_word(api, kube):
    api.faults = [(503, "overloaded")]

    assert read_said(kube, [job()], []).unread == ""


def test_a_job_in_a_queue_says_what_kueue_says_by_the_version_that_it_serves(api, kube):
    queued = job(spec={"suspend": True})
    queued["metadata"]["labels"][names.QUEUE] = "grids"
    reserved = {"type": "QuotaReserved", "status": "False", "message": "insufficient quota for nvidia.com/gpu"}
    owners = {"ownerReferences": [{"uid": "j"}]}
    workload = {"metadata": {"name": "w", **owners}, "status": {"conditions": [reserved]}}

    assert read_said(kube, [queued], []).queued == {}
    api.add("workloads", workload, group="/apis/kueue.x-k8s.io/v1beta1")

    assert read_said(kube, [queued], []).queued == {"j": "insufficient quota for nvidia.com/gpu"}
    assert describe_workloads([{**workload, "status": {"conditions": [{**reserved, "status": "True"}]}}]) == {}
