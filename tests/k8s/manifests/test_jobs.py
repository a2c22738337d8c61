"""What a Job's object says of its cells and its end."""

from __future__ import annotations

import pytest

from k8s.manifests import jobs, names
from tests.k8s.cluster_objects import GROUPED, JOB, MAP, job

COMPLETE = {"type": "Complete", "status": "True"}


def test_what_a_job_covers_follows_from_its_status():
    running = job(completedIndexes="0", failedIndexes="1")

    assert jobs.covered_cells([running], MAP) == {0: JOB}
    assert jobs.given_up_cells([running], MAP) == {1: JOB}
    assert jobs.covered_cells([job(conditions=[COMPLETE])], MAP) == {}


def test_an_index_of_a_group_stands_for_all_its_cells_and_what_it_leaves_undone_was_given_up():
    """A cell that can never work does not fail the index of its group."""
    running = job(completedIndexes="0")

    assert jobs.covered_cells([job()], GROUPED) == dict.fromkeys((3, 1, 0), JOB)
    assert jobs.covered_cells([running], GROUPED) == {0: JOB}
    assert jobs.given_up_cells([running], GROUPED) == dict.fromkeys((3, 1), JOB)
    assert [jobs.count_open(j, GROUPED[JOB]) for j in (job(), running, job(failedIndexes="0-1"))] == [2, 1, 0]


def test_a_job_has_ended_when_it_is_complete_failed_or_being_deleted():
    going = job()
    going["metadata"]["deletionTimestamp"] = "2026-11-01T11:30:00Z"

    assert not jobs.has_ended(job(conditions=[{"type": "Suspended", "status": "True"}]))
    assert jobs.has_ended(job(conditions=[COMPLETE]))
    assert jobs.has_ended(going)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"conditions": [COMPLETE]}, "complete"),
        ({"conditions": [{"type": "Failed", "status": "True", "message": "too long"}]}, "failed: too long"),
        ({"spec": {"suspend": True}}, "suspended"),
        ({"active": 3, "ready": 2}, "active, 3 pods, 2 ready"),
    ],
)
def test_a_job_is_described_in_words(status, said):
    assert jobs.describe_job(job(**status)) == said


@pytest.mark.parametrize(
    ("text", "number"), [(None, 0.0), ("0.53", 0.53), ("free", 0.0), ("-1", 0.0), ("inf", 0.0), ("nan", 0.0)]
)
def test_an_annotation_that_holds_no_number_counts_as_none(text, number):
    made = job()
    made["metadata"]["annotations"] = {names.PRICE: text} if text else {}

    assert jobs.number_in(made, names.PRICE) == number


def test_a_job_is_succeeded_by_a_younger_one_alone():
    first, second = job("first"), job("second")
    second["metadata"]["creationTimestamp"] = "2026-11-01T12:00:00Z"
    both = [first, second]

    assert jobs.has_successor("first", both, both)
    assert not jobs.has_successor("second", both, both)
    assert not jobs.has_successor("absent", both, both)
