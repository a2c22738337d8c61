"""The collecting Job looks after its run: Jobs start and end in time, none after the ceiling, and the end is told."""

from __future__ import annotations

import pytest

from experiment import keys
from experiment.assignment import Assignment
from experiment.run import read_run
from k8s.cluster import notice
from k8s.cluster.caretaker import Caretaker
from k8s.cluster.ceiling import Guard
from k8s.cluster.connect import connect_cluster
from k8s.manifests import jobs, names
from tests.k8s.cluster_objects import NOW, job, pod


@pytest.fixture
def kube(api):
    with connect_cluster("", "ensembles", answer_seconds=0, outage_seconds=0) as made:
        yield made


@pytest.mark.parametrize("ceiling", ["", "5"])
def test_a_job_whose_data_set_is_prepared_starts_unless_the_run_is_at_its_ceiling(api, kube, launched, ceiling):
    launched.put(keys.assignment("mine", "waits"), Assignment(run="mine", job="waits", indexes=(0,)).to_bytes())
    waiting, training = job("waits", spec={"suspend": True}), job()
    prepare = job("prepare", conditions=[{"type": "Complete", "status": "True"}])
    prepare["metadata"]["labels"] = {**names.run_labels("mine", names.PREPARE), names.DATASET: "digits"}
    waiting["metadata"]["annotations"] = {names.WAITS_FOR: "mine/prepare"}
    training["metadata"]["annotations"] = {names.PRICE: "3"}
    for one in (waiting, training):
        one["metadata"]["labels"] = {**names.run_labels("mine", names.TRAINER), names.DATASET: "digits"}
        one["metadata"].setdefault("annotations", {})
        one["metadata"]["annotations"] |= {names.CEILING: ceiling} if ceiling else {}
        api.add("jobs", one)
    care = Caretaker(guard=Guard(writes=True, now=lambda: NOW))
    pods = [pod(0, startTime="2026-11-01T10:00:00Z")]  # two hours, $6

    lines = care.settle(kube, launched, read_run(launched, "mine"), [waiting, training, prepare], pods)

    found = api.objects["/apis/batch/v1/namespaces/ensembles/jobs/waits"]
    assert care.guard.dollars == 6.0
    assert bool(jobs.stop_reason(found)) == bool(ceiling)
    assert ("started waits: digits is prepared" in lines) == (not ceiling)


def test_the_end_is_told_whoever_asked_for_it_and_on_the_own_job(kube, launched, monkeypatch):
    run, sent = read_run(launched, "mine"), []
    monkeypatch.setattr(notice, "post_notice", lambda url, told: sent.append((url, told["done"])) or "told")
    monkeypatch.setattr(notice, "create_event", lambda _, own, told: [f"event on {own}, {told['done']} done"])

    assert Caretaker().tell_end(kube, launched, run, "", 2) == []
    assert Caretaker(notify="http://a.example").tell_end(kube, launched, run, "own", 2) == [
        "told",
        "event on own, 2 done",
    ]
    assert sent == [("http://a.example", 2)]
