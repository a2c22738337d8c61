"""What a Job's object says: pure functions of the dicts that the API server returns."""

from __future__ import annotations

import math
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


def creation_time(thing: Manifest) -> str:
    """Returns when an object was created: a text that sorts by time."""
    return str(thing["metadata"]["creationTimestamp"])


def waits_for(job: Manifest) -> str:
    """Returns the ``RUN/JOB`` whose end an unfinished, suspended Job waits for; empty if it waits for none."""
    return next(iter(waits_of(job).values()), "")


def waits_of(job: Manifest) -> dict[str, str]:
    """Returns the annotation, ``WAITS_FOR`` or ``TAUGHT_BY``, by which an unfinished Job waits; none if it does not."""
    found = {key: annotation_of(job, key) for key in (names.WAITS_FOR, names.TAUGHT_BY)}
    return {} if has_ended(job) else {key: value for key, value in found.items() if value}


def waits_for_cells(job: Manifest) -> str:
    """Returns the ``RUN/JOB`` of another run that has the cells of a suspended Job; empty if none has."""
    return "" if waits_for_data(job) or waits_for_teachers(job) else waits_for(job)


def waits_for_teachers(job: Manifest) -> str:
    """Returns the ``RUN/JOB`` that trains the teachers of a suspended Job's students; empty if it waits for none."""
    return waits_of(job).get(names.TAUGHT_BY, "")


def waits_for_data(job: Manifest) -> str:
    """Returns the Job of its own run that prepares the data of a suspended Job; empty if it waits for none."""
    run, _, name = waits_of(job).get(names.WAITS_FOR, "").partition("/")
    return name if run == label_of(job, names.RUN) else ""


def is_part(thing: Manifest, part: str) -> bool:
    """Returns whether a Job or pod is of this part: trainer, prepare or collect."""
    return label_of(thing, names.PART) == part


def has_successor(name: str, found: Iterable[Manifest], others: Iterable[Manifest]) -> bool:
    """Returns whether one of the other Jobs is younger than the one of this name; False where that is not found."""
    times = [creation_time(j) for j in found if object_name(j) == name]
    return any(creation_time(j) > max(times) for j in others if object_name(j) != name) if times else False


def annotation_of(thing: Manifest, key: str) -> str:
    """Returns the value of an annotation of a Job or pod; empty without it."""
    return str(thing["metadata"].get("annotations", {}).get(key, ""))


def unfinished_jobs(found: Iterable[Manifest], part: str) -> list[Manifest]:
    """Returns the Jobs of a part of the run that have not ended."""
    return [job for job in found if is_part(job, part) and not has_ended(job)]


def true_condition(job: Manifest, *kinds: str) -> Mapping[str, Any] | None:
    """Returns the first true condition of one of these kinds; None without one."""
    found = job.get("status", {}).get("conditions") or ()
    return next((c for c in found if c["type"] in kinds and c["status"] == "True"), None)


def has_ended(job: Manifest) -> bool:
    """Returns whether a Job has completed, failed, or is being deleted."""
    return true_condition(job, "Complete", "Failed") is not None or "deletionTimestamp" in job["metadata"]


def stop_reason(job: Manifest) -> str:
    """Returns why whoever watched a Job ended it; empty for any other Job."""
    return annotation_of(job, names.STOPPED)


def stop_kind(job: Manifest) -> str:
    """Returns the kind of failure that such an end is; empty for a Job whose pods could never have worked."""
    return annotation_of(job, names.STOP_KIND)


def number_in(job: Manifest, key: str) -> float:
    """Returns the number that an annotation of a Job holds; 0 where it holds none."""
    try:
        found = float(annotation_of(job, key) or 0)
    except ValueError:
        return 0.0
    return found if 0 <= found < math.inf else 0.0


def lacks_pods(job: Manifest) -> bool:
    """Returns whether a Job that is neither suspended nor ended has fewer pods than it may have at this moment."""
    spec, status = job["spec"], job.get("status") or {}
    if has_ended(job) or spec.get("suspend"):
        return False
    completed = max(status.get("succeeded", 0), len(completed_indexes(job)))
    left = spec.get("completions", 1) - completed - len(failed_indexes(job))
    alive = status.get("active", 0) + status.get("terminating", 0)
    return bool(alive < min(spec.get("parallelism", 1), left))


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
        for group in assignments[object_name(job)].groups_without(completed_indexes(job) | failed_indexes(job))
        for index in group
    }


def count_open(job: Manifest, assignment: Assignment) -> int:
    """Returns the number of completion indexes of an unfinished Job that have neither succeeded nor been given up."""
    return len(assignment.groups_without(completed_indexes(job) | failed_indexes(job)))


def given_up_cells(found: Iterable[Manifest], assignments: Mapping[str, Assignment]) -> dict[int, str]:
    """Returns the grid indexes that Jobs have given up, each with its Job.

    A pod of several cells succeeds when each is done or can never be: a cell of it that has no result was given up.
    """
    return {
        index: object_name(job)
        for job in found
        if object_name(job) in assignments
        for index in _given_up(job, assignments[object_name(job)])
    }


def _given_up(job: Manifest, assignment: Assignment) -> list[int]:
    over = failed_indexes(job) | (completed_indexes(job) if assignment.sizes else set())
    return [index for i in over if i < len(assignment.groups) for index in assignment.groups[i]]


def describe_job(job: Manifest) -> str:
    """Returns a Job's state in words."""
    ending = true_condition(job, "Complete", "Failed")
    if ending:
        reason = stop_reason(job) or ending.get("message") or ending.get("reason", "")
        return "complete" if ending["type"] == "Complete" else f"failed: {reason}"
    if waits_for_data(job):
        return f"waits for its data set (Job {waits_for_data(job)})"
    if waits_for_teachers(job):
        return f"waits for its teachers, {names.describe_holder(waits_for(job))}"
    if waits_for(job):
        return f"waits for {names.describe_holder(waits_for(job))}"
    if job["spec"].get("suspend"):
        return "suspended"
    status = job.get("status") or {}
    return f"active, {status.get('active', 0)} pods, {status.get('ready', 0)} ready"
