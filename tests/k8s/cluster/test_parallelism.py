"""How many cells the Jobs of a run train at the same time follows settings and ceilings, where no queue decides it."""

from __future__ import annotations

import pytest

from k8s.cluster.connect import connect_as_set
from k8s.cluster.parallelism import adjust_ceiling, adjust_parallelism
from k8s.manifests import names
from k8s.planning.jobs_needed import Existing
from tests.k8s.cluster_objects import job
from tests.k8s.factories import settings


def trainer(name, condition="", queue=""):
    made = job(name, conditions=[{"type": condition, "status": "True"}] if condition else [])
    made["metadata"]["labels"] |= {names.DATASET: "digits"} | ({names.QUEUE: queue} if queue else {})
    return made


@pytest.mark.parametrize(
    ("values", "shares", "wanted"),
    [
        ({"parallelism": 2}, {}, {"a": 2, "b": 2}),
        ({"parallelism": 2}, {"a": 1, "b": 9}, {"a": 1, "b": 3}),  # no more than its 3 cells
        ({}, {"b": 2}, {"a": 3, "b": 2}),
        ({}, {}, {"a": 3, "b": 3}),
    ],
)
def test_unfinished_jobs_outside_a_queue_are_changed(api, values, shares, wanted):
    found = [trainer("a"), trainer("b"), trainer("ended", "Complete"), trainer("queued", queue="q")]
    for one in found:
        api.add("jobs", one)
    with connect_as_set(settings()) as kube:
        lines = adjust_parallelism(kube, Existing(jobs=found), settings(**values), {"queued": 1, "ended": 1, **shares})

    now = {path.rpartition("/")[2]: o["spec"]["parallelism"] for path, o in api.objects.items()}
    assert now == {**wanted, "ended": 3, "queued": 3}
    assert lines == [f"parallelism of {name}: 3 -> {n}" for name, n in wanted.items() if n != 3]


@pytest.mark.parametrize(
    ("dollars", "lines", "now"),
    [
        (7.5, ["max_dollars of a: 0 -> 7.5", "max_dollars of b: 5 -> 7.5"], ["7.5", "7.5"]),
        (0, ["max_dollars of b: 5 -> 0"], [None, None]),
    ],
)
def test_the_ceiling_of_the_launch_becomes_that_of_all_unfinished_jobs(api, dollars, lines, now):
    found = [trainer("a"), trainer("b"), trainer("ended", "Complete")]
    for one, ceiling in zip(found, ({}, {names.CEILING: "5"}, {names.CEILING: "1"}), strict=True):
        one["metadata"]["annotations"] = ceiling
        api.add("jobs", one)

    with connect_as_set(settings()) as kube:
        assert adjust_ceiling(kube, Existing(jobs=found), settings(max_dollars=dollars)) == lines

    held = {p.rpartition("/")[2]: o["metadata"]["annotations"].get(names.CEILING) for p, o in api.objects.items()}
    assert held == {"a": now[0], "b": now[1], "ended": "1"}
