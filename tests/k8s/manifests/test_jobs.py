"""What a Job's object says of its cells and its end."""

from __future__ import annotations

import pytest

from k8s.manifests import jobs
from tests.k8s.cluster_objects import JOB, MAP, job

COMPLETE = {"type": "Complete", "status": "True"}


def test_what_a_job_covers_follows_from_its_status():
    running = job(completedIndexes="0", failedIndexes="1")

    assert jobs.covered_cells([running], MAP) == {0: JOB}
    assert jobs.given_up_cells([running], MAP) == {1: JOB}
    assert jobs.covered_cells([job(conditions=[COMPLETE])], MAP) == {}


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
