"""The collecting Job reports as cells land, records the ends of killed pods, and gives way to a younger one."""

from __future__ import annotations

import pytest

from experiment import keys, records
from experiment.assignment import Assignment
from experiment.run import read_run
from k8s import collect
from k8s.cluster.connect import connect_cluster
from k8s.manifests import names
from tests.k8s.cluster_objects import GRID, ended, pod

JOB = "mine-digits-1"


def collector(kube, store, report=lambda: 0, **more):
    run = read_run(store, "mine")
    return collect.Collector(kube=kube, store=store, run=run, report=report, sleep=lambda _: None, **more)


def add(api, name, part, created="2026-11-01T11:00:00Z", **status):
    metadata = {"name": name, "labels": names.run_labels("mine", part), "creationTimestamp": created}
    api.add("jobs", {"metadata": metadata, "spec": {}, "status": status})


@pytest.fixture
def kube(api):
    with connect_cluster("", "ensembles") as made:
        yield made


def test_when_no_job_trains_the_last_report_decides(kube, launched):
    assert collector(kube, launched, report=lambda: 7).collect() == 7


def test_a_younger_collecting_job_takes_over(api, kube, launched):
    add(api, "mine-collect-1", names.COLLECT)
    add(api, "mine-collect-2", names.COLLECT, created="2026-11-01T12:00:00Z")

    assert collector(kube, launched, report=lambda: pytest.fail("reported"), own="mine-collect-1").collect() == 0
    assert collector(kube, launched, report=lambda: 3, own="mine-collect-2").collect() == 3


def test_the_end_of_a_killed_pod_is_recorded_once_and_a_damaged_record_is_named_once(api, kube, launched, capsys):
    launched.put(keys.assignment("mine", JOB), Assignment(run="mine", job=JOB, indexes=(2,)).to_bytes())
    launched.put(keys.failure(GRID.cells[2].id, "torn"), b"{")
    dead = pod(0, phase="Failed", containerStatuses=ended(137, "OOMKilled"))
    dead["metadata"]["labels"] |= {**names.run_labels("mine", names.TRAINER), names.JOB: JOB}
    api.add("pods", dead, group="/api/v1")
    made = collector(kube, launched)

    made.record_failures()
    made.record_failures()

    key = keys.failure(GRID.cells[2].id, dead["metadata"]["uid"])
    out, err = capsys.readouterr()
    assert "killed because it exceeded its memory limit" in records.parse_record(launched.read(key), key).message
    assert out.count("killed because it exceeded its memory limit") == 1
    assert err.count("warning: ") == 1 and "torn.json" in err
