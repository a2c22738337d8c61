"""A run of grid smoke as cluster and store may have it: Jobs, pods, how they ended, and views of the whole."""

from __future__ import annotations

from datetime import UTC, datetime

from experiment.assignment import Assignment
from experiment.grid import load_grid
from experiment.ledger import Ledger
from experiment.records import Failure, Progress
from experiment.run import Run
from k8s.cluster import states
from k8s.manifests import names

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
GRID = load_grid("smoke")
RUN = Run(name="r", grid=GRID)
JOB = "r-digits-123456"  # its completion index 0 trains cell 3 of the grid
MAP = {JOB: Assignment(run="r", job=JOB, indexes=(3, 1, 0))}
GROUPED = {JOB: Assignment(run="r", job=JOB, indexes=(3, 1, 0), sizes=(2, 1))}  # its index 0 trains cells 3 and 1


def job(name=JOB, **status):
    spec = {"completions": 3, "parallelism": 3, **status.pop("spec", {})}
    labels = names.run_labels("r", names.TRAINER)
    return {
        "kind": "Job",
        "metadata": {"name": name, "uid": "j", "creationTimestamp": "2026-11-01T11:00:00Z", "labels": labels},
        "spec": spec,
        "status": status,
    }


def pod(position, uid="u", phase="Running", created="2026-11-01T11:00:01Z", **status):
    labels = {**names.run_labels("r", names.TRAINER), names.JOB: JOB, names.INDEX: str(position)}
    metadata = {"name": f"p{position}{uid}", "uid": uid, "creationTimestamp": created, "labels": labels}
    containers = [{"name": "trainer", "resources": {"limits": {"memory": "12Gi"}}}]
    waiting = [{"name": names.AWAIT, "resources": {"limits": {"memory": "256Mi"}}}]
    spec = {"containers": containers, "initContainers": waiting}
    return {"metadata": metadata, "spec": spec, "status": {"phase": phase, **status}}


def ended(code, reason="Error", message=""):
    how = {"exitCode": code, "reason": reason, "message": message, "finishedAt": "2026-11-01T11:30:00Z"}
    return [{"name": "trainer", "state": {"terminated": how}}]


def failure(cell, attempt, kind, message, time="2026-11-01T11:20:00Z"):
    return Failure(cell=cell, attempt=attempt, kind=kind, exit_code=1, message=message, time=time)


def view_of(done=(), failures=None, progress=None, **view):
    ledger = Ledger(committed=frozenset(done), failures=failures or {}, progress=progress or {})
    return states.View(run=RUN, time=NOW, assignments=MAP, ledger=ledger, **view)


def progress(cell, attempt="u", time=""):
    speed = {"images_per_second": 50.0, "seconds_left": 61.0}
    return Progress(cell=cell, attempt=attempt, epoch=1, epochs=3, step=1, steps=9, time=time, **speed)


def cells_of(**view):
    """The states of all cells of the grid in a view."""
    return states.cell_states(view_of(**view))


def state_of(index, **view):
    """The state of one cell of the grid in a view."""
    return cells_of(**view)[index]


def warning(uid, reason, message, first="2026-11-01T11:10:00Z", last="2026-11-01T11:50:00Z"):
    """A Warning Event of the object with this UID."""
    metadata = {"name": f"w-{uid}-{last}", "creationTimestamp": first}
    times = {"firstTimestamp": first, "lastTimestamp": last}
    return {"metadata": metadata, "involvedObject": {"uid": uid}, "reason": reason, "message": message, **times}
