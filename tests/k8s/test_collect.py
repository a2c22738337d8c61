"""The collecting Job reports as cells land, records the ends of killed pods, and gives way to a younger one."""

from __future__ import annotations

import dataclasses
import time

import pytest

from experiment import keys, outage, records
from experiment.assignment import Assignment
from experiment.errors import Misconfigured, Transient
from experiment.run import read_run
from k8s import collect
from k8s.cluster.connect import connect_cluster
from k8s.manifests import names
from tests.factories import commit
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


def test_the_end_of_a_killed_pod_of_several_cells_is_recorded_for_those_without_a_result(api, kube, launched):
    groups = Assignment(run="mine", job=JOB, indexes=(0, 1, 2, 3), sizes=(1, 3))
    launched.put(keys.assignment("mine", JOB), groups.to_bytes())
    commit(launched, GRID.cells[2])
    dead = pod(1, phase="Failed", containerStatuses=ended(137, "OOMKilled"))
    dead["metadata"]["labels"] |= {**names.run_labels("mine", names.TRAINER), names.JOB: JOB}
    api.add("pods", dead, group="/api/v1")
    done = {c.id for c in GRID.cells if launched.exists(keys.epochs(c))}

    made = collector(kube, launched)
    made.record_failures()
    made.record_failures()

    written = [key.split("/")[1] for key in launched.list(keys.FAILURES)]
    assert sorted(written) == sorted({c.id for c in GRID.cells[1:]} - done)


def test_outages_of_cluster_and_store_are_waited_out_and_nothing_is_lost(api, kube, launched, capsys, monkeypatch):
    monkeypatch.setattr(outage, "FIRST_PAUSE", 0.01)
    job = {"metadata": {"name": JOB, "labels": names.run_labels("mine", names.TRAINER)}, "spec": {}, "status": {}}
    api.add("jobs", job)
    codes = [0, Transient.exit_code, 7]
    listed = launched.list
    troubles = [Transient("the store is away"), Misconfigured("the store refuses"), None]

    def failing_list(prefix):
        trouble = troubles.pop(0) if troubles else None
        if trouble:
            raise trouble
        return listed(prefix)

    def report():
        job["status"]["conditions"] = [{"type": "Complete", "status": "True"}]
        return codes.pop(0)

    monkeypatch.setattr(launched, "list", failing_list)
    api.faults = [(503, "overloaded"), "reset", (403, "jobs.batch is forbidden: no"), None]
    made = dataclasses.replace(collector(kube, launched, report=report), sleep=time.sleep, poll=0.01)

    assert made.collect() == 7

    err = capsys.readouterr().err
    assert (codes, troubles, api.faults) == ([], [], [])
    assert "the store is away; trying again for up to 1800 s" in err
    assert "the report could not be made, because the store was away; trying again" in err


def test_the_pod_waits_as_long_as_the_launcher_has_said(api, launched, capsys, monkeypatch):
    monkeypatch.setenv("OUTAGE_SECONDS", "0")
    api.refusal = (503, "overloaded")

    assert collect.main(["--run", f"{launched.url}/runs/mine"]) == 75
    assert capsys.readouterr().err == "error: the API server is busy (503 overloaded); give it some minutes\n"
