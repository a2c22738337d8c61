"""Trainer Jobs wait, suspended, for the pod that prepares or verifies their data set on a CPU.

That pod has their image, their identity and their way to the store: what is wrong with one of these shows there, before a GPU
is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiment import keys, records
from experiment.cell import Cell
from experiment.records import Failure
from experiment.run import Run
from experiment.store import Store
from k8s.cluster import postmortem
from k8s.cluster.events import Said
from k8s.cluster.kube import Kube
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest


def settle_unprepared(
    kube: Kube, store: Store, run: Run, job: Manifest, cells: Sequence[Cell], found: Iterable[Manifest]
) -> list[str]:
    """Starts a Job whose data set is prepared, or removes it if that has failed, with a failure record for each of its cells.

    Args:
        found: the run's Jobs.

    Returns:
        what was done, in at most one line.
    """
    name, dataset = jobs.object_name(job), jobs.label_of(job, names.DATASET)
    own = [j for j in found if jobs.object_name(j) == jobs.waits_for_data(job)]
    if own and not jobs.has_ended(own[0]):
        return []
    is_done = jobs.true_condition(own[0], "Complete") if own else None
    # A Job is removed some time after its end, or by hand.
    if is_done or (not own and dataset in keys.prepared_datasets(store.list(keys.DATASETS))):
        kube.patch("Job", name, starting_change(job))
        return [f"started {name}: {dataset} is prepared"]
    failure = _explain_failure(kube, run.name, dataset, jobs.waits_for_data(job), own)
    refuse_cells(store, cells, failure)
    kube.delete("Job", name)
    return [f"removed {name}: {failure['message']}; launch again when that is mended"]


def refuse_cells(store: Store, cells: Iterable[Cell], failure: Mapping[str, Any]) -> None:
    """Puts a failure record of each cell of a Job that is removed before it has started.

    Args:
        failure: the record's fields that say why.
    """
    for cell in cells:
        record = Failure(cell=cell.id, time=records.utc_now(), **failure)
        store.put_once(keys.failure(cell.id, record.attempt), records.to_bytes(record), record.attempt)


def find_preparing_job(job: Manifest, found: Iterable[Manifest]) -> Manifest | None:
    """Returns the latest of a run's Jobs that prepares the data set of a trainer Job; None without one."""
    dataset = jobs.label_of(job, names.DATASET)
    own = [j for j in found if jobs.is_part(j, names.PREPARE) and jobs.label_of(j, names.DATASET) == dataset]
    return max(own, key=jobs.creation_time, default=None)


def describe_preparation(name: str, found: Iterable[Manifest], pods: Iterable[Manifest], said: Said) -> str:
    """Returns in words what a preparing Job does or waits for.

    Args:
        name: the Job's.
        found, pods: Jobs and pods of its run.
        said: the cluster's words on them.
    """
    own = [p for p in pods if jobs.label_of(p, names.JOB) == name]
    newest = max(own, key=jobs.creation_time, default=None)
    if newest is None:
        refused = [said.why_refused(j) for j in found if jobs.object_name(j) == name]
        return f"Job {name} has no pod yet{f': {refused[0]}' if refused and refused[0] else ''}"
    failure = postmortem.failure_of_pod(newest, "")
    if failure:
        return f"Job {name} tries again after: {failure.message}"
    if newest["status"].get("phase") == "Pending":
        why = postmortem.waiting_reason(newest) or said.why_waiting(newest) or "its containers"
        return f"the pod of Job {name} waits for {why}"
    return f"Job {name} prepares or verifies it"


def starting_change(job: Manifest) -> Manifest:
    """Returns the change that starts a waiting Job, or lets a queue start it: one that is in a queue is the queue's to start."""
    queue = job["metadata"]["annotations"].get(names.WAITS_QUEUE)
    ordinary: Manifest = {"annotations": dict.fromkeys(names.WAITS)}
    if queue:
        return {"metadata": {**ordinary, "labels": {names.QUEUE: queue}}}
    return {"metadata": ordinary, "spec": {"suspend": False}}


def _explain_failure(kube: Kube, run: str, dataset: str, job: str, own: Sequence[Manifest]) -> dict[str, Any]:
    """Returns the fields of a failure record that say why a data set was not prepared, from the Job and its last pod."""
    what = f"{dataset} could not be prepared: "
    if not own:
        return {"attempt": job, "kind": "error", "exit_code": postmortem.KILLED, "message": f"{what}Job {job} is gone"}
    ends = postmortem.failures_of_job(kube.list("Pod", names.run_selector(run, names.PREPARE)), job)
    ending = jobs.true_condition(own[0], "Failed") or {}
    reason = jobs.stop_reason(own[0]) or (ends[-1].message if ends else ending.get("message") or "it was deleted")
    return {
        "attempt": own[0]["metadata"]["uid"],
        "kind": ends[-1].kind if ends else "error",
        "exit_code": ends[-1].exit_code if ends else postmortem.KILLED,
        "message": f"{what}{reason} (Job {job})",
    }
