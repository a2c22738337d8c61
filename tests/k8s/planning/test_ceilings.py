"""Ceilings: GPUs are shared by the whole run, and dollars are refused or asked about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment.assignment import Assignment
from experiment.errors import InvalidInput
from experiment.grid import load_grid
from k8s.manifests import names
from k8s.planning import ceilings
from k8s.planning.ceilings import Part
from k8s.planning.jobs_needed import Existing, NeededJobs, find_needed_jobs
from tests.k8s.cluster_objects import job
from tests.k8s.factories import settings

GRID = load_grid("full")
NEEDED = find_needed_jobs("r", GRID, range(39), Existing())
NOTHING = NeededJobs(trainers=(), waits={}, prepare={}, preparing={}, collect="", active={}, given_up={})


def part(name, cells, gpus=1, most=0):
    return Part(job=name, pods=cells, gpus=gpus, most=most or cells)


def trainer(name, dataset, cells, *, done="", condition=""):
    made = job(name, completedIndexes=done, spec={"completions": cells, "parallelism": cells})
    made["metadata"]["labels"][names.DATASET] = dataset
    made["status"]["conditions"] = [{"type": condition, "status": "True"}] if condition else []
    return made


@pytest.mark.parametrize(
    ("ceiling", "parts", "shares"),
    [
        (12, [part("a", 10), part("b", 20), part("c", 30)], [2, 4, 6]),
        (3, [part("a", 1), part("b", 1), part("c", 1000)], [1, 1, 1]),
        (100, [part("a", 1), part("b", 5)], [1, 5]),
        (10, [part("a", 20, most=2), part("b", 20)], [2, 8]),
        (8, [part("a", 10, gpus=4), part("b", 10)], [1, 4]),
        (5, [], []),
    ],
    ids=["in proportion", "one each", "no more than cells", "no more than parallelism", "several GPUs", "nothing"],
)
def test_gpus_are_shared_in_proportion_to_cells(ceiling, parts, shares):
    assert list(ceilings.share_gpus(ceiling, parts).values()) == shares


@given(
    st.integers(0, 40),
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 4), st.integers(1, 30)), min_size=1, max_size=6),
)
def test_the_ceiling_holds_and_no_gpu_stays_unused_that_a_job_could_take(spare, rows):
    parts = [part(str(i), cells, gpus, min(most, cells)) for i, (cells, gpus, most) in enumerate(rows)]
    ceiling = sum(p.gpus for p in parts) + spare
    shares = ceilings.share_gpus(ceiling, parts)
    left = ceiling - sum(shares[p.job] * p.gpus for p in parts)

    assert left >= 0
    assert all(1 <= shares[p.job] <= p.most for p in parts)
    assert all(shares[p.job] == p.most or p.gpus > left for p in parts)


def test_a_ceiling_below_one_pod_of_each_job_is_refused():
    with pytest.raises(InvalidInput, match="max_gpus is 4; allowed: at least 5, for one pod of each of the run's 2 "):
        ceilings.share_gpus(4, [part("a", 10, gpus=4), part("b", 10)])


def test_without_a_ceiling_and_without_gpus_nothing_is_shared():
    assert ceilings.find_shares(settings(), GRID, NEEDED, Existing()) == {}
    assert ceilings.find_shares(settings(max_gpus=3, gpus=0), GRID, NEEDED, Existing()) == {}


def test_new_and_active_jobs_share_by_what_they_have_left_and_ended_ones_get_nothing():
    active = trainer("r-mnist-1", "mnist", 26, done="0-12")
    ended = trainer("r-mnist-0", "mnist", 4, condition="Complete")
    known = {"r-mnist-1": Assignment(run="r", job="r-mnist-1", indexes=tuple(range(26)))}
    existing = Existing(jobs=[active, ended], assignments=known)
    mine = [i for i, c in enumerate(GRID.cells) if c.dataset == "cifar10"]
    needed = find_needed_jobs("r", GRID, mine, Existing())

    shares = ceilings.find_shares(settings(max_gpus=8), GRID, needed, existing)

    assert shares == {needed.trainers[0].job: 4, "r-mnist-1": 4}  # 13 cells each
    assert ceilings.find_shares(settings(max_gpus=8), GRID, NOTHING, existing) == {"r-mnist-1": 8}
    own = settings(max_gpus=8, dataset={"mnist": {"parallelism": 2}})
    assert ceilings.find_shares(own, GRID, needed, existing) == {needed.trainers[0].job: 6, "r-mnist-1": 2}
    cpus = settings(max_gpus=8, dataset={"mnist": {"gpus": 0}})
    assert ceilings.find_shares(cpus, GRID, needed, existing) == {needed.trainers[0].job: 8}


def test_jobs_whose_pods_train_several_cells_share_by_pods():
    active = trainer("r-mnist-1", "mnist", 7, done="0-3")
    known = {"r-mnist-1": Assignment(run="r", job="r-mnist-1", indexes=tuple(range(26)), sizes=(4, 4, 4, 4, 4, 3, 3))}
    mine = [i for i, c in enumerate(GRID.cells) if c.dataset == "cifar10"]
    needed = find_needed_jobs("r", GRID, mine, Existing(), cells_per_pod=lambda _: 4)
    pods, given = len(needed.trainers[0].groups), settings(max_gpus=100, cells_per_pod=4)

    shares = ceilings.find_shares(given, GRID, needed, Existing(jobs=[active], assignments=known))

    assert shares == {needed.trainers[0].job: pods, "r-mnist-1": 3}
    assert pods < len(mine)
    (line,) = ceilings.describe_shares(given, shares)
    assert "pods at once: " in line


def test_the_shares_are_said_and_that_a_queue_has_the_last_word():
    assert ceilings.describe_shares(settings(), {}) == []
    (line,) = ceilings.describe_shares(settings(max_gpus=5), {"a": 2, "b": 3})
    assert line == "max_gpus 5, shared by the run's trainer Jobs, cells at once: a 2, b 3"
    (line,) = ceilings.describe_shares(settings(max_gpus=5, queue="gpus"), {"a": 5})
    assert line.endswith("a 5; of these the queue gpus decides how many start, and when")


def test_a_forecast_above_the_ceiling_is_refused_with_what_to_do():
    ceilings.check_dollars(1e6, settings(), 1e6)
    ceilings.check_dollars(10, settings(max_dollars=10), 0)
    with pytest.raises(InvalidInput) as refusal:
        ceilings.check_dollars(1234.5, settings(max_dollars=10), 0)
    assert str(refusal.value).startswith(
        "the forecast of this launch is $1,234.50; allowed: up to max_dollars, $10.00;"
    )
    assert "--only" in str(refusal.value) and "--max-dollars" in str(refusal.value)


def test_what_the_run_has_taken_counts_and_a_launch_that_creates_nothing_is_never_refused():
    ceilings.check_dollars(4, settings(max_dollars=10), 6)
    ceilings.check_dollars(0, settings(max_dollars=10), 11)
    with pytest.raises(InvalidInput) as refusal:
        ceilings.check_dollars(4.5, settings(max_dollars=10), 6)
    assert str(refusal.value).startswith(
        "the forecast of this launch is $4.50, and its run has taken $6.00 so far; allowed: together up to max_dollars, $10.00;"
    )


@pytest.mark.parametrize(
    ("dollars", "values", "says"),
    [
        (25, {}, "a launch would ask first, or need --yes: $25.00 is above ask_above, $20.00"),
        (20, {}, ""),
        (25, {"ask_above": 30}, ""),
        (25, {"max_dollars": 22}, "a launch would be refused: the forecast of this launch is $25.00; "),
    ],
)
def test_a_plan_says_what_its_launch_would_meet(dollars, values, says):
    found = ceilings.describe_limits(dollars, settings(**values))

    assert len(found) == bool(says)
    assert "".join(found).startswith(says)
