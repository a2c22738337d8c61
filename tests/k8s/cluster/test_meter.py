"""Pods cost from their node to their end, and what was seen of those that are gone is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from experiment.spending import Spent
from k8s.cluster.meter import Meter, pod_span
from k8s.manifests import names
from tests.k8s.cluster_objects import JOB, NOW, ended, job, pod

HOUR = 3600.0
START = {"startTime": "2026-11-01T11:00:00Z"}  # an hour before NOW
SCHEDULED = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-01T11:45:00Z"}
NOT_SCHEDULED = {"type": "PodScheduled", "status": "False", "lastTransitionTime": "2026-11-01T11:45:00Z"}
NOT_READY = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-01T11:20:00Z"}


def priced(name=JOB, price="0.5"):
    made = job(name)
    made["metadata"]["annotations"] = {names.PRICE: price}
    made["metadata"]["labels"][names.DATASET] = "digits"
    return made


@pytest.mark.parametrize(
    ("status", "hours"),
    [
        ({**START}, 1.0),
        ({"phase": "Pending", **START}, 1.0),  # it pulls its image
        ({"phase": "Pending", "conditions": [SCHEDULED]}, 0.25),
        ({"phase": "Pending", "conditions": [NOT_SCHEDULED]}, None),
        ({"phase": "Pending"}, None),
        ({"phase": "Succeeded", **START, "containerStatuses": ended(0)}, 0.5),
        (
            {"phase": "Failed", **START, "conditions": [NOT_READY]},
            1 / 3,
        ),  # its node is gone, and no container says when
        ({"phase": "Failed", **START}, 0.0),
        ({"startTime": "2026-11-01T12:30:00Z"}, 0.0),  # the clock of its node is ahead
    ],
)
def test_a_pod_costs_from_its_node_to_its_end(status, hours):
    span = pod_span(pod(0, **status), NOW)

    assert (span and (span[1] - span[0]).total_seconds() / HOUR) == (hours and pytest.approx(hours))


def test_pods_add_up_and_one_that_is_gone_keeps_what_was_seen_of_it():
    meter = Meter()
    pods = [pod(0, uid="a", **START), pod(1, uid="b", **START)]
    (first,) = meter.read([priced()], pods, NOW)
    (later,) = meter.read([priced()], pods[1:], NOW + timedelta(hours=1))

    assert (first.seconds, first.gone, first.dollars) == (2 * HOUR, 0.0, 1.0)
    assert (later.seconds, later.gone, later.dollars) == (3 * HOUR, HOUR, 1.5)
    assert (later.began, later.until) == ("2026-11-01T11:00:00+00:00", "2026-11-01T13:00:00+00:00")
    assert later.dataset == "digits"


def test_whoever_goes_on_from_a_record_counts_nothing_twice_and_loses_nothing():
    record = Spent(job=JOB, dataset="digits", price=0.5, seconds=3 * HOUR, gone=HOUR, began="2026-11-01T09:00:00+00:00")
    earlier = Spent(job="an-earlier-one", dataset="digits", price=2.0, seconds=HOUR)
    pods = [pod(0, uid="a", **START)]

    found = Meter([record, earlier]).read([priced()], pods, NOW)

    assert {s.job: s.seconds for s in found} == {JOB: 3 * HOUR, "an-earlier-one": HOUR}
    later = Meter([record]).read([], pods, NOW + timedelta(hours=5))  # the Job is gone, a pod still ends
    assert [s.seconds for s in later] == [7 * HOUR]
    assert later[0].began == record.began


def test_a_job_without_a_price_is_not_measured_nor_are_pods_of_other_parts():
    collecting = pod(0, uid="c", **START)
    collecting["metadata"]["labels"] |= names.run_labels("r", names.COLLECT)

    assert Meter().read([job()], [pod(0, **START)], NOW) == []
    assert [s.seconds for s in Meter().read([priced()], [collecting], NOW)] == [0.0]
