"""Wrong versions of the suite's code, each with one mistake that the simulation must find."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from experiment import artifacts, hold, keys, lease
from experiment.errors import InvalidInput
from experiment.lease import HeldLease
from experiment.outage import Patience
from experiment.s3 import S3Store
from k8s.cluster import executor, submit
from trainer import checkpoint, commit, watcher


class Hasty:
    """A store whose predictions are put when all else has been."""

    def __init__(self, store):
        self._store, self.late = store, []

    def __getattr__(self, name):
        return getattr(self._store, name)

    def put_once(self, key, data, attempt):
        if "predictions" in key:
            self.late.append((key, data, attempt))
            return True
        return self._store.put_once(key, data, attempt)


def commit_first(store, *more):
    """The commit is put before the predictions."""
    hasty = Hasty(store)
    ours = RIGHT_COMMIT(hasty, *more)
    for late in hasty.late:
        store.put_once(*late)
    return ours


def rely_blindly(store, usual, data, *, attempt, say, is_same):
    """What another attempt has put is taken for the same."""
    store.put_once(usual, data, attempt)
    return {usual: artifacts.compute_digest(store.read(usual))}


RIGHT_COMMIT = commit.commit_cell


def clean_first(store, cell, *more):
    """The checkpoints are removed before the commit."""
    commit.remove_leftovers(store, cell)
    return RIGHT_COMMIT(store, cell, *more)


def remove_old_first(store, cell_id, snapshot):
    """Old checkpoints are removed before the new one is put."""
    checkpoint.remove_checkpoints(store, cell_id)
    store.put(keys.checkpoint(cell_id, snapshot.step), checkpoint.to_bytes(cell_id, snapshot))


def trust_listing(store, cell_id, say):
    """A checkpoint that is listed is thought to be there."""
    for key in reversed(list(store.list(keys.folder(keys.CHECKPOINTS, cell_id)))):
        with contextlib.suppress(InvalidInput):
            return checkpoint.from_bytes(store.read(key), cell_id, key)
    return None


def give_lease(store, cell_id, holder):
    """Whoever asks gets a lease, whoever has one."""
    lease.end_lease(store, cell_id, *lease.newest_lease(store, cell_id))
    return RIGHT_LEASE(store, cell_id, holder)


RIGHT_LEASE = lease.take_lease


def job_first(kube, store, needed, manifests):
    """The Jobs are created before the lists of their cells are put."""
    submit.create_manifests(kube, manifests, lambda *_: None)
    for assignment in needed.trainers:
        store.put_once(keys.assignment(assignment.run, assignment.job), assignment.to_bytes(), "launcher")


def replace(self, key, data, attempt):
    """The store replaces what is there."""
    self.put(key, data)
    return True


def stop_at_once(self, pace, snapshot):
    """A process that is told to stop keeps no last checkpoint."""
    raise watcher.Interrupted("told to stop")


# By name: what is replaced, and by what.
MUTANTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "the commit before the predictions": (commit, "commit_cell", commit_first),
    "artifacts of another attempt relied upon": (commit, "_put_artifact", rely_blindly),
    "checkpoints removed before the commit": (commit, "commit_cell", clean_first),
    "old checkpoints removed before the new one": (checkpoint, "write_checkpoint", remove_old_first),
    "a listed checkpoint taken for granted": (checkpoint, "newest_checkpoint", trust_listing),
    "damage not looked for": (checkpoint, "_digest", lambda *_: ""),
    "a lost answer ignored": (S3Store, "_attempt_of", lambda *_: None),
    "a commit that replaces": (S3Store, "put_once", replace),
    "an outage not waited out": (Patience, "_check", lambda self, error, _: _raise(error)),
    "a lease that is not renewed": (HeldLease, "renew", lambda _: None),
    "a lease that is given to all": (hold, "take_lease", give_lease),
    "Jobs before their lists": (executor, "create_jobs", job_first),
    "no last checkpoint": (watcher.Watcher, "_stop", stop_at_once),
}


def _raise(error: BaseException) -> None:
    raise error


@contextlib.contextmanager
def mistaken(name: str) -> Iterator[None]:
    """Lets the suite make this mistake."""
    module, attribute, wrong = MUTANTS[name]
    with mock.patch.object(module, attribute, wrong):
        yield
