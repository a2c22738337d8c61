"""Logs are read from where the last look has left off, of every container of a pod."""

from __future__ import annotations

from k8s.cluster.connect import connect_cluster
from k8s.cluster.pod_logs import Tail
from k8s.manifests import names
from tests.k8s.cluster_objects import pod

FIRST = "2026-11-01T11:00:01.5Z one\n2026-11-01T11:00:01.52Z two\n"


def read(tail, kube, *pods):
    return [(container, text) for _, container, text in tail.read_news(kube, pods)]


def test_every_container_is_read_and_each_line_once(api):
    tail, running = Tail(), pod(0)
    name = running["metadata"]["name"]
    api.logs = {(name, names.AWAIT): "2026-11-01T11:00:00Z ready\n", (name, "trainer"): FIRST}

    with connect_cluster("", "ensembles") as kube:
        assert read(tail, kube, running) == [(names.AWAIT, "ready\n"), ("trainer", "one\ntwo\n")]
        assert read(tail, kube, running) == []

        api.logs[name, "trainer"] += "2026-11-01T11:00:02Z \n2026-11-01T11:00:02.000000001Z three four\n"
        assert read(tail, kube, running) == [("trainer", "\nthree four\n")]


def test_a_pod_that_has_ended_is_read_once_and_one_that_has_not_started_has_written_nothing(api):
    tail, ended = Tail(), pod(0, phase="Succeeded")
    lost = {(ended["metadata"]["name"], names.AWAIT): "unable to retrieve container logs for containerd://1"}
    api.logs = {(ended["metadata"]["name"], "trainer"): FIRST, **lost}

    with connect_cluster("", "ensembles") as kube:
        assert read(tail, kube, ended, pod(1, phase="Pending")) == [("trainer", "one\ntwo\n")]
        api.requests.clear()
        assert read(tail, kube, ended) == []
    assert api.requests == []
