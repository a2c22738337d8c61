"""What a Job's object says: pure functions of the dicts that the API server returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from experiment.assignment import Assignment
from k8s.manifests import names
from k8s.manifests.names import Manifest


def object_name(thing: Manifest) -> str:
    """Returns an object's name."""
    return str(thing["metadata"]["name"])


def label_of(thing: Manifest, key: str) -> str:
    """Returns an object's label; empty without it."""
    return str(thing["metadata"].get("labels", {}).get(key, ""))


def is_part(thing: Manifest, part: str) -> bool:
    """Returns whether a Job or pod is of this part: trainer, prepare or collect."""
    return label_of(thing, names.PART) == part


def true_condition(job: Manifest, *kinds: str) -> Mapping[str, Any] | None:
    """Returns the first true condition of one of these kinds; None without one."""
    found = job.get("status", {}).get("conditions") or ()
    return next((c for c in found if c["type"] in kinds and c["status"] == "True"), None)


def has_ended(job: Manifest) -> bool:
    """Returns whether a Job has completed, failed, or is being deleted."""
    return true_condition(job, "Complete", "Failed") is not None or "deletionTimestamp" in job["metadata"]


def completed_indexes(job: Manifest) -> set[int]:
    """Returns the completion indexes that succeeded."""
    return names.parse_indexes(job.get("status", {}).get("completedIndexes"))


def failed_indexes(job: Manifest) -> set[int]:
    """Returns the completion indexes that were given up."""
    return names.parse_indexes(job.get("status", {}).get("failedIndexes"))


def covered_cells(found: Iterable[Manifest], assignments: Mapping[str, Assignment]) -> dict[int, str]:
    """Returns the grid indexes that unfinished Jobs still train, each with its Job."""
    return {
        index: object_name(job)
        for job in found
        if object_name(job) in assignments and not has_ended(job)
        for position, index in enumerate(assignments[object_name(job)].indexes)
        if position not in completed_indexes(job) | failed_indexes(job)
    }


def given_up_cells(found: Iterable[Manifest], assignments: Mapping[str, Assignment]) -> dict[int, str]:
    """Returns the grid indexes that Jobs have given up, each with its Job."""
    return {
        assignments[object_name(job)].indexes[position]: object_name(job)
        for job in found
        if object_name(job) in assignments
        for position in failed_indexes(job)
        if position < len(assignments[object_name(job)].indexes)
    }


def describe_job(job: Manifest) -> str:
    """Returns a Job's state in words."""
    ending = true_condition(job, "Complete", "Failed")
    if ending:
        reason = ending.get("message") or ending.get("reason", "")
        return "complete" if ending["type"] == "Complete" else f"failed: {reason}"
    if job["spec"].get("suspend"):
        return "suspended"
    status = job.get("status") or {}
    return f"active, {status.get('active', 0)} pods, {status.get('ready', 0)} ready"
