"""Jobs whose pods the API server refuses, on the real control plane: the reason is said, and what time does not heal is ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiment import keys, records
from k8s import collect, status
from k8s.cluster import watch
from k8s.cluster.caretaker import Caretaker
from k8s.cluster.hopeless import Stopper
from k8s.manifests import jobs, names
from tests.cluster.simulated_run import cell

pytestmark = pytest.mark.cluster
SECOND = 1 / 60  # in minutes


def until_status_says(run, words):
    """The output of status once it has these words."""
    return run.until(lambda: words in (said := run.of_run(status.main)[1]) and said, words)


def test_a_quota_of_nothing_is_said_of_every_cell_and_waited_for(run, monkeypatch):
    monkeypatch.setattr(watch, "POLL", 0.2)
    quota = {"metadata": {"name": "none", "namespace": run.namespace}, "spec": {"hard": {"requests.nvidia.com/gpu": 0}}}
    run.kube.create({"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    assert run.launch(cells=2)[0] == 0

    said = until_status_says(run, "its pod cannot be created: FailedCreate: exceeded quota: none, requested: requests")
    rows = [line for line in said.splitlines() if "waiting  " in line]

    assert [row.count("requests.nvidia.com/gpu=1, used: requests.nvidia.com/gpu=0, limited") for row in rows] == [1, 1]

    looks = []

    def free_quota(_):
        looks.append(jobs.has_ended(run.job()))
        if len(looks) == 2:
            run.kube.delete("ResourceQuota", "none")
        if len(looks) > 2:
            run.finish_all()
            for job in run.jobs(names.COLLECT):
                run.kube.delete("Job", jobs.object_name(job))

    _, said = run.verb(
        lambda _: watch.watch_run(run.kube, run.store, run.launched(), sleep=free_quota, hopeless_minutes=1e-6)
    )

    assert looks[:2] == [False, False]
    assert "waiting: 2 cells: its pod cannot be created: FailedCreate: exceeded quota: none" in said
    assert "2 of 2 cells done" in said


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--priority-class", "absent"], "no PriorityClass with name absent was found"),
        (["--pod-patch", "patch.yaml"], 'violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)'),
    ],
    ids=["class", "security"],
)
def test_a_job_whose_pods_are_forbidden_is_ended_with_the_reason_and_a_corrected_launch_goes_on(run, flags, why):
    Path("patch.yaml").write_text("spec: {hostNetwork: true}")
    assert run.launch(*flags, cells=2)[0] == 0
    until_status_says(run, f"its pod cannot be created: FailedCreate: {why}")
    own = jobs.object_name(run.jobs(names.COLLECT)[0])
    made = []
    collector = collect.Collector(
        kube=run.kube,
        store=run.store,
        run=run.launched(),
        report=lambda: made.append(1) or 0,
        poll=0.2,
        care=Caretaker(stopper=Stopper(minutes=SECOND)),
        own=own,
    )

    assert collector.collect() == 0

    written = [records.parse_record(run.store.read(k), k) for k in run.store.list(keys.FAILURES)]
    assert sorted(f.cell for f in written) == sorted(cell(seed).id for seed in range(2))
    assert all(why in f.message for f in written)
    assert len(made) == 1
    assert (
        "failed        its Job was ended, because time does not heal this: FailedCreate" in run.of_run(status.main)[1]
    )

    assert run.launch(cells=2)[0] == 0
    assert run.running(0)
