"""What a Job's object says: pure functions of the dicts that the API server returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from experiment.assignment import Assignment
from k8s.manifests import names
from k8s.manifests.names import Manifest


def name(thing: Manifest) -> str:
    """An object's name."""
    return str(thing["metadata"]["name"])


def label(thing: Manifest, key: str) -> str:
    """An object's label; empty without it."""
    return str(thing["metadata"].get("labels", {}).get(key, ""))


def part(thing: Manifest, wanted: str) -> bool:
    """Whether a Job or pod is of this part."""
    return label(thing, names.PART) == wanted


def condition(job: Manifest, *kinds: str) -> Mapping[str, Any] | None:
    """The first true condition of one of these kinds."""
    found = job.get("status", {}).get("conditions") or ()
    return next((c for c in found if c["type"] in kinds and c["status"] == "True"), None)


def finished(job: Manifest) -> bool:
    """Whether a Job has ended, one way or the other; a Job that is being deleted has."""
    return condition(job, "Complete", "Failed") is not None or "deletionTimestamp" in job["metadata"]


def completed(job: Manifest) -> set[int]:
    """The completion indexes that succeeded."""
    return names.indexes_of(job.get("status", {}).get("completedIndexes"))


def failed(job: Manifest) -> set[int]:
    """The completion indexes that were given up."""
    return names.indexes_of(job.get("status", {}).get("failedIndexes"))


def covered(jobs: Iterable[Manifest], assignments: Mapping[str, Assignment]) -> dict[int, str]:
    """The grid indexes that unfinished Jobs will still bring to an end, each with its Job."""
    return {
        index: name(job)
        for job in jobs
        if name(job) in assignments and not finished(job)
        for position, index in enumerate(assignments[name(job)].indexes)
        if position not in completed(job) | failed(job)
    }


def given_up(jobs: Iterable[Manifest], assignments: Mapping[str, Assignment]) -> dict[int, str]:
    """The grid indexes that Jobs have given up, each with its Job."""
    return {
        assignments[name(job)].indexes[position]: name(job)
        for job in jobs
        if name(job) in assignments
        for position in failed(job)
        if position < len(assignments[name(job)].indexes)
    }
