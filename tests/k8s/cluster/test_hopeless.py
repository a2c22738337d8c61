"""Jobs are ended that wait for what time does not heal, and no others."""

from __future__ import annotations

import pytest

from experiment import keys, records
from experiment.assignment import Assignment
from experiment.run import read_run
from k8s.cluster.connect import connect_cluster
from k8s.cluster.events import Said
from k8s.cluster.hopeless import Stopper, find_due, find_hopeless
from k8s.manifests import names
from tests.k8s.cluster_objects import GRID, JOB, job, pod

BY_KUBELET = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}
AT_WORK = [{"name": "trainer", "state": {"running": {}}}]
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "message": "Insufficient nvidia.com/gpu"}


def blocked(reason, message="m", position=0, name="trainer", **more):
    """A pod of which one container cannot start."""
    state = {"name": name, "state": {"waiting": {"reason": reason, "message": message}}}
    return pod(position, uid=f"b{position}", phase="Pending", containerStatuses=[state], **more)


@pytest.mark.parametrize(
    ("waiting", "said", "reason"),
    [
        (blocked("ImagePullBackOff", "no such image"), "", "ImagePullBackOff: no such image"),
        (blocked("ErrImagePull"), "", "ErrImagePull: m"),
        (
            blocked("CreateContainerConfigError", 'secret "s3" not found'),
            "",
            'CreateContainerConfigError: secret "s3" not found',
        ),
        (pod(0, phase="Pending"), 'FailedMount: configmap "ca" not found', 'FailedMount: configmap "ca" not found'),
        (pod(0, phase="Pending"), "FailedMount: timed out waiting for the condition", None),
        (pod(0, phase="Pending"), "", None),
        (pod(0, phase="Pending", conditions=[UNSCHEDULED]), "", None),
        (blocked("ContainerCreating"), "", None),
    ],
    ids=["image", "pull", "secret", "mount", "slow mount", "starting", "unscheduled", "creating"],
)
def test_a_pod_is_hopeless_where_only_a_person_can_mend_it(waiting, said, reason):
    found = find_hopeless([job()], [waiting], Said(warnings={"u": said}))

    assert found == ({JOB: reason} if reason else {})


@pytest.mark.parametrize(
    ("words", "hopeless"),
    [
        ('violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false', True),
        ("no PriorityClass with name absent was found", True),
        ('admission webhook "policy.example" denied the request: no', True),
        ("maximum cpu usage per Container is 1, but limit is 2", True),
        ("failed quota: cpu: must specify limits.cpu for: trainer", True),
        ("exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0", False),
        ('failed calling webhook "policy.example": connection refused', False),
        ("unable to create new content in namespace lab because it is being terminated", False),
    ],
)
def test_a_refused_pod_is_hopeless_unless_its_quota_may_be_freed_or_its_webhook_come_back(words, hopeless):
    assert bool(find_hopeless([job()], [], Said(refused={"j": f"FailedCreate: {words}"}))) is hopeless


def test_a_job_of_which_a_pod_is_at_work_or_that_is_suspended_or_over_is_left_alone():
    stuck = blocked("ImagePullBackOff")
    preparing = pod(1, phase="Pending", initContainerStatuses=[{"name": names.AWAIT, "state": {"running": {}}}])
    ended = job(conditions=[{"type": "Complete", "status": "True"}])

    assert find_hopeless([job()], [stuck, preparing], Said()) == {}
    assert find_hopeless([job(spec={"suspend": True})], [stuck], Said()) == {}
    assert find_hopeless([ended], [stuck], Said()) == {}


def test_a_job_is_due_once_it_has_waited_for_the_whole_time():
    assert find_due([JOB, "new"], {JOB: 0.0}, 900.0, 900.0) == [JOB]
    assert find_due([JOB], {JOB: 0.1}, 900.0, 900.0) == []


def test_a_hopeless_job_is_ended_after_the_minutes_unless_it_was_mended_meanwhile(api):
    now = [0.0]
    api.add("jobs", job())
    stuck, path = blocked("ImagePullBackOff", "no such image"), f"/apis/batch/v1/namespaces/ensembles/jobs/{JOB}"
    stopper = Stopper(minutes=15, clock=lambda: now[0])

    with connect_cluster("", "ensembles") as kube:

        def look(minute, *pods, by=stopper):
            now[0] = minute * 60.0
            return by.stop_jobs(kube, [job()], pods, Said())

        assert [look(0, stuck), look(10, stuck), look(14, pod(0)), look(16, stuck), look(30, stuck)] == [[]] * 5
        assert "activeDeadlineSeconds" not in api.objects[path]["spec"]
        assert [look(0, stuck, by=Stopper(minutes=0)), look(99, stuck, by=Stopper(minutes=0))] == [[], []]

        said = look(31, stuck)

    assert said == [f"ended {JOB}: ImagePullBackOff: no such image (for 15 min)"]
    assert api.objects[path]["spec"]["activeDeadlineSeconds"] == 1
    assert "ImagePullBackOff: no such image" in api.objects[path]["metadata"]["annotations"][names.STOPPED]


def test_who_may_not_end_a_job_says_so(api):
    api.add("jobs", job())
    stopper = Stopper(minutes=1e-9)
    with connect_cluster("", "ensembles", answer_seconds=0, outage_seconds=0) as kube:
        stopper.stop_jobs(kube, [job()], [blocked("ErrImagePull")], Said())
        api.refusal = (403, "jobs.batch is forbidden: User cannot patch resource")
        (line,) = stopper.stop_jobs(kube, [job()], [blocked("ErrImagePull")], Said())

    assert line.startswith(f"{JOB} could not be ended: the API server refuses")


def test_the_cells_of_an_ended_job_that_have_no_result_get_its_reason_once(api, launched, monkeypatch):
    run, stopper = read_run(launched, "mine"), Stopper()
    stopped = job(failedIndexes="3", conditions=[{"type": "Failed", "status": "True"}])
    stopped["metadata"]["annotations"] = {names.STOPPED: "its Job was ended"}
    over = job("other", conditions=[{"type": "Complete", "status": "True"}])

    with connect_cluster("", "ensembles") as kube:
        launched.put(keys.assignment("mine", JOB), b"{")
        assert stopper.settle(kube, launched, run, [stopped, over], []) == []  # the list of its cells is damaged
        launched.put(keys.assignment("mine", JOB), Assignment(run="mine", job=JOB, indexes=(0, 1, 2, 3)).to_bytes())
        stopper.settle(kube, launched, run, [stopped, over], [])
        monkeypatch.setattr(launched, "put_once", lambda *_: pytest.fail("written again"))
        stopper.settle(kube, launched, run, [stopped, over], [])

    written = [records.parse_record(launched.read(k), k) for k in launched.list(keys.FAILURES)]
    assert {f.message for f in written} == {"its Job was ended"}
    done = {c.id for c in GRID.cells if launched.exists(keys.epochs(c))}
    assert {f.cell for f in written} == {c.id for c in GRID.cells[:3]} - done


def test_of_a_job_of_groups_the_cells_of_its_open_indexes_get_the_reason(api, launched):
    run, stopper = read_run(launched, "mine"), Stopper()
    stopped = job(completedIndexes="0", conditions=[{"type": "Failed", "status": "True"}])
    stopped["metadata"]["annotations"] = {names.STOPPED: "its Job was ended"}
    groups = Assignment(run="mine", job=JOB, indexes=(0, 1, 2, 3), sizes=(1, 3))
    launched.put(keys.assignment("mine", JOB), groups.to_bytes())
    done = {c.id for c in GRID.cells if launched.exists(keys.epochs(c))}

    with connect_cluster("", "ensembles") as kube:
        stopper.settle(kube, launched, run, [stopped], [])

    assert {key.split("/")[1] for key in launched.list(keys.FAILURES)} == {c.id for c in GRID.cells[1:]} - done


def test_a_job_that_was_ended_on_request_is_recorded_as_interrupted_and_not_before_its_end(api, launched):
    stopped = job()
    stopped["metadata"]["annotations"] = {names.STOPPED: "too dear", names.STOP_KIND: "interrupted"}
    launched.put(keys.assignment("mine", JOB), Assignment(run="mine", job=JOB, indexes=(0,)).to_bytes())

    with connect_cluster("", "ensembles") as kube:
        Stopper().settle(kube, launched, read_run(launched, "mine"), [stopped], [])
        assert not list(launched.list(keys.FAILURES))
        stopped["status"]["conditions"] = [{"type": "Failed", "status": "True"}]
        Stopper().settle(kube, launched, read_run(launched, "mine"), [stopped], [])

    (key,) = launched.list(keys.FAILURES)
    written = records.parse_record(launched.read(key), key)
    assert (written.kind, written.exit_code, written.message) == ("interrupted", 143, "too dear")


@pytest.mark.parametrize(("count", "index", "hopeless"), [(9, 0, False), (10, 0, True), (20, None, False)])
def test_a_pod_that_nodes_evict_again_and_again_before_it_starts_is_hopeless(count, index, hopeless):
    low = "The node was low on resource: ephemeral-storage."
    evicted = {"phase": "Failed", "reason": "Evicted", "message": low, "conditions": [BY_KUBELET]}
    pods = [pod(i % 3 if index is None else index, uid=f"e{i}", **evicted) for i in range(count)]

    found = find_hopeless([job()], pods, Said())

    assert found == (
        {JOB: f"its nodes evicted a pod {count} times before it started: its node evicted it: {low}"}
        if hopeless
        else {}
    )
    assert find_hopeless([job()], [*pods, pod(2, uid="w", containerStatuses=AT_WORK)], Said()) == {}
