"""The names that Kubernetes sees, built and parsed in this one place: Jobs, labels, annotations, containers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

Manifest = dict[str, Any]  # a Kubernetes object as JSON
APP = "collaborative-ensembles"
RUN, PART, DATASET, GRID, COMMIT = (f"{APP}/{n}" for n in ("run", "part", "dataset", "grid", "commit"))
RUN_URL = f"{APP}/run-url"  # an annotation: where the run lives
# An annotation of a suspended Job, RUN/JOB: another run's Job that has its cells, or the own run's that prepares its data.
WAITS_FOR = f"{APP}/waits-for"
# Another one, RUN/JOB: the Job that trains the teachers of the students that a suspended Job has.
TAUGHT_BY = f"{APP}/taught-by"
WAITS_QUEUE = f"{APP}/waits-for-queue"  # an annotation: the queue that it enters afterwards
WAITS = (WAITS_FOR, TAUGHT_BY, WAITS_QUEUE)  # what only a Job has that waits
Waits = Mapping[str, str]  # of these, the one by which a Job waits
NO_WAIT: Waits = MappingProxyType({})
STOPPED = f"{APP}/stopped"  # an annotation: why whoever watched a Job ended it
STOP_KIND = f"{APP}/stop-kind"  # an annotation beside that: the kind of failure that its cells' records get
# Annotations of a trainer Job for whoever watches, who has neither prices nor settings: what an hour of one of its pods costs, and
# the dollars of its run at which all of its Jobs are ended.
PRICE, CEILING = f"{APP}/dollars-per-hour", f"{APP}/max-dollars"
SENT = f"{APP}/sent"  # an annotation: a digest of the Job as it was sent
TRAINER, PREPARE, COLLECT = PARTS = ("trainer", "prepare", "collect")
AWAIT = "await-dataset"  # the init container of a trainer pod
INDEX = "batch.kubernetes.io/job-completion-index"
JOB = "batch.kubernetes.io/job-name"
QUEUE, QUEUE_PRIORITY = "kueue.x-k8s.io/queue-name", "kueue.x-k8s.io/priority-class"
QUEUE_MINIMUM = "kueue.x-k8s.io/job-min-parallelism"
NO_DISRUPTION = "karpenter.sh/do-not-disrupt"
_PREPARE = re.compile(r".+-prepare-(?P<dataset>[a-z0-9]+)(-\d+)?")


def trainer_job(
    run: str, dataset: str, indexes: Sequence[int] | Sequence[Sequence[int]], taken: Collection[str] = ()
) -> str:
    """Returns the name of the Job that trains these grid indexes: the same for the same cells, unless it is ``taken``.

    Args:
        indexes: or groups of them, for a Job whose pods train several cells.
    """
    for generation in range(len(taken) + 1):
        name = f"{run}-{dataset}-{_digest([list(indexes), generation])}"
        if name not in taken:
            return name
    raise AssertionError("unreachable: more names than taken ones were tried")


def prepare_job(run: str, dataset: str, taken: Collection[str] = ()) -> str:
    """Returns the name of the Job that prepares a data set; numbered where an earlier Job has taken the plain one."""
    names = (f"{run}-prepare-{dataset}" + (f"-{n}" if n else "") for n in range(len(taken) + 1))
    return next(name for name in names if name not in taken)


def collect_job(run: str, trainer_jobs: Collection[str], taken: Collection[str] = ()) -> str:
    """Returns the name of the Job that reports on a launch, a digest of the launch's trainer Jobs in it."""
    names = (f"{run}-collect-{_digest([sorted(trainer_jobs), n])}" for n in range(len(taken) + 1))
    return next(name for name in names if name not in taken)


def prepared_dataset(job: str) -> str | None:
    """Returns the data set that a Job of this name prepares; None for any other name."""
    match = _PREPARE.fullmatch(job)
    return match["dataset"] if match else None


def run_labels(run: str, part: str) -> dict[str, str]:
    """Returns the labels by which the Jobs and pods of a run are found again."""
    return {"app.kubernetes.io/name": APP, "app.kubernetes.io/component": part, RUN: run, PART: part}


def run_selector(run: str, part: str | None = None) -> str:
    """Returns the label selector of a run's Jobs and pods, or of one part of them."""
    return f"{RUN}={run}" + (f",{PART}={part}" if part else "")


def describe_holder(waits_for: str) -> str:
    """Returns in words which Job of which run ``RUN/JOB`` is."""
    run, _, job = waits_for.partition("/")
    return f"run {run} (Job {job})"


def label_value(text: str) -> str:
    """Returns a text as a label's value: other characters become ``-``, the rest after 63 is cut."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:63].strip("._-")


def parse_indexes(text: str | None) -> set[int]:
    """Returns the completion indexes that a Job's status lists, as in ``1,3-5,7``."""
    found: set[int] = set()
    for piece in filter(None, (text or "").split(",")):
        first, _, last = piece.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()[:6]
