"""The plan of a launch on a cluster, in lines."""

from __future__ import annotations

import pytest

from experiment.assignment import Assignment
from experiment.errors import InvalidInput
from experiment.grid import load_grid
from k8s.planning import cluster_plan
from k8s.planning.jobs_needed import Existing, NeededJobs
from k8s.planning.plan import Plan
from tests.k8s.factories import settings

GRID = load_grid("smoke")


def test_cells_that_are_done_active_and_given_up_are_told_apart():
    trainers = tuple(Assignment(run="r", job=f"r-digits-{j}", indexes=own) for j, own in ((1, (0,)), (2, (1,))))
    needed = NeededJobs(
        trainers=trainers,
        waits={"r-digits-2": "full/full-digits-9"},
        prepare={"p": "digits"},
        preparing={"digits": "p"},
        collect="c",
        active={2: "j"},
        given_up={3: "k"},
    )

    plan = Plan(grid=GRID)
    expected = cluster_plan.forecast_launch(plan, needed, Existing(), settings(max_gpus=2))
    lines = cluster_plan.describe_launch("r", plan, needed, settings(max_gpus=2), expected)

    assert lines[:5] == [
        "run r, namespace ensembles: 4 cells, 0 done, 4 to train",
        "1 cells belong to 1 active Jobs",
        "1 cells are in the hands of run full (Job full-digits-9): waited for",
        "1 cells failed for good; python -m k8s.retry --run r trains them again",
        "first, in a pod without a GPU: prepared or verified digits",
    ]
    assert lines[5].endswith("cells at once: r-digits-1 1, r-digits-2 1")  # it may start at any time
    assert lines[7].split()[:4] == ["r-digits-1", "1", "1", "1"]
    assert "r-digits-2" not in "".join(lines[6:])  # it costs nothing while it waits
    assert lines[-1].startswith("of all types in the table, on demand and as many cells at once: cheapest ")
    assert expected.dollars == expected.jobs[0].dollars > 0


def test_pods_of_several_cells_are_counted():
    groups = Assignment(run="r", job="r-digits-1", indexes=(0, 1, 2, 3), sizes=(3, 1))
    needed = NeededJobs(
        trainers=(groups,), waits={}, prepare={}, preparing={"digits": "p"}, collect="c", active={}, given_up={}
    )
    given, plan = settings(cells_per_pod=3, workers_per_gpu=2), Plan(grid=GRID)
    expected = cluster_plan.forecast_launch(plan, needed, Existing(), given)
    lines = cluster_plan.describe_launch("r", plan, needed, given, expected)

    assert "r-digits-1: 4 cells in 2 pods, up to 3 in each" in lines
    assert (expected.jobs[0].cells, expected.jobs[0].at_once, expected.jobs[0].gpus) == (4, 3, 2)


def test_a_shared_gpu_whose_part_nobody_says_is_warned_of():
    assert (
        cluster_plan.warn_of_shared_gpus(settings(gpu_resource="nvidia.com/gpu.shared", gpu_share=0.5), ["mnist"]) == []
    )
    own = settings(dataset={"mnist": {"gpu_resource": "nvidia.com/gpu.shared"}})
    assert cluster_plan.warn_of_shared_gpus(own, ["digits"]) == []
    (line,) = cluster_plan.warn_of_shared_gpus(own, ["digits", "mnist"])
    assert line.startswith("warning: nvidia.com/gpu.shared is priced as a whole GPU; say with gpu_share")


def test_a_table_for_a_data_set_that_nobody_has_is_warned_of():
    own = settings(dataset={"mnist": {"parallelism": 2}, "flowers": {"parallelism": 3}})

    assert cluster_plan.warn_of_unknown_tables(own, ["flowers"]) == []
    (line,) = cluster_plan.warn_of_unknown_tables(own, ["digits"])
    assert "[dataset.flowers] of the settings is of no data set of this grid" in line


@pytest.mark.parametrize("url", ["store", "file:///tmp/store", "gs://bucket"])
def test_a_store_that_pods_cannot_reach_is_refused(url):
    cluster_plan.require_shared_store("s3://bucket/prefix")
    with pytest.raises(InvalidInput, match="which pods can reach"):
        cluster_plan.require_shared_store(url)


def test_what_the_launcher_finds_or_trusts_and_pods_do_not_is_warned_of():
    bundle = {"AWS_CA_BUNDLE": "/home/ann/ca.pem"}

    assert cluster_plan.warn_of_server(settings(s3_endpoint="https://s3.lab.example"), {}) == []
    (server,) = cluster_plan.warn_of_server(settings(s3_endpoint="http://localhost:9000"), {})
    assert "which in a pod is the pod itself; set s3_endpoint" in server
    (trust,) = cluster_plan.warn_of_server(settings(s3_endpoint="https://s3.lab.example"), bundle)
    assert "certificates of /home/ann/ca.pem" in trust
    own = settings(s3_endpoint="https://s3.lab.example", env={"AWS_CA_BUNDLE": "/etc/ca.pem"})
    assert cluster_plan.warn_of_server(own, bundle) == cluster_plan.warn_of_server(settings(), bundle) == []
