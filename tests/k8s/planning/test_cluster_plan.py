"""The plan of a launch on a cluster, in lines."""

from __future__ import annotations

import pytest

from experiment.assignment import Assignment
from experiment.errors import InvalidInput
from experiment.grid import load_grid
from k8s.planning import cluster_plan
from k8s.planning.jobs_needed import NeededJobs
from k8s.planning.plan import Plan
from tests.k8s.factories import settings

GRID = load_grid("smoke")


def test_cells_that_are_done_active_and_given_up_are_told_apart():
    trainers = (Assignment(run="r", job="r-digits-1", indexes=(0, 1)),)
    needed = NeededJobs(trainers=trainers, prepare={"p": "digits"}, collect="c", active={2: "j"}, given_up={3: "k"})

    lines = cluster_plan.describe_launch("r", Plan(grid=GRID), needed, settings(), [])

    assert lines[:4] == [
        "run r, namespace ensembles: 4 cells, 0 done, 4 to train",
        "1 cells belong to 1 active Jobs",
        "1 cells failed for good; python -m k8s.retry --run r trains them again",
        "first prepared: digits",
    ]
    assert lines[5].split()[:4] == ["r-digits-1", "2", "2", "2"]


@pytest.mark.parametrize("url", ["store", "file:///tmp/store", "gs://bucket"])
def test_a_store_that_pods_cannot_reach_is_refused(url):
    cluster_plan.require_shared_store("s3://bucket/prefix")
    with pytest.raises(InvalidInput, match="which pods can reach"):
        cluster_plan.require_shared_store(url)
