"""One Job of a thousand simulated pods, a bare one or ours, played to its end under faults."""

from __future__ import annotations

import pathlib
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks.fleet import Fleet
from experiment import keys, results
from experiment.assignment import read_assignment
from experiment.frozen import Frozen, read_run
from experiment.grid import Grid, parse_grid
from experiment.store import LocalStore
from k8s import cluster as executor
from k8s import jobs, render, survey
from k8s.kube import MERGE, Kube
from k8s.settings import Settings
from k8s.work import Scene, work
from tests.cluster import simulated
from tests.made import epochs_table

IMAGE = "registry.example/benchmark@sha256:" + "0" * 64
MEMORY = "/dev/shm"  # the store's disk is not what is measured


class BucketLike(LocalStore):
    """A store whose URL pods could reach: nothing here runs in a pod."""

    def __init__(self, root: pathlib.Path) -> None:
        super().__init__(root, create=True)
        self.url = "s3://benchmark/prefix"


def grid(count: int) -> Grid:
    """A grid of so many small cells, from its TOML table."""
    base = {
        "dataset": "digits",
        "method": "single",
        "epochs": 2,
        "train_examples": 64,
        "test_examples": 10,
        "batch_size": 32,
    }
    return parse_grid("scale", {"base": base, "product": [{"seed": list(range(count))}], "expect": count})


def bare(name: str, space: str, cells: int, parallel: int) -> dict[str, Any]:
    """The least Indexed Job that comes to an end under these faults."""
    room = {"cpu": "3", "memory": "12Gi", "nvidia.com/gpu": "1"}
    container = {"name": "trainer", "image": IMAGE, "resources": {"requests": room, "limits": room}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": space},
        "spec": {"completionMode": "Indexed", "completions": cells, "parallelism": parallel, "backoffLimitPerIndex": 10,
                 "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }  # fmt: skip


def lose_nodes(kube: Kube, numbers: range) -> None:
    """Takes nodes away as a spot interruption does: first a taint that evicts, then the node is gone."""
    for number in numbers:
        kube.request(
            "PATCH",
            f"/api/v1/nodes/gpu-{number}",
            {},
            {"spec": {"taints": [{"key": "lost", "effect": "NoExecute"}]}},
            MERGE,
        )
    time.sleep(3)
    for number in numbers:
        kube.request("DELETE", f"/api/v1/nodes/gpu-{number}")


def play(
    kube: Kube, home: pathlib.Path, job: str, committing: Callable[[int, str], None], *, faults: bool, lost: range
) -> tuple[float, Counter[str]]:
    """Runs a Job's pods to its end; seconds, and how pods ended."""
    fleet = Fleet(kube=kube, job=job, commit=committing, failing=0.05 if faults else 0.0)
    going: list[threading.Thread] = []

    def ended() -> bool:
        found = kube.get("Job", job)
        if faults and not going and found["status"].get("succeeded", 0) >= 0.3 * found["spec"]["completions"]:
            going.append(threading.Thread(target=lose_nodes, args=(kube, lost)))
            going[0].start()
        return jobs.finished(found)

    seconds = fleet.run(ended)
    for thread in going:
        thread.join()
        simulated.add_nodes(home, lost)
    assert jobs.condition(kube.get("Job", job), "Complete"), kube.get("Job", job)["status"]
    kube.delete("Job", job)
    while kube.list("Pod", f"batch.kubernetes.io/job-name={job}"):
        time.sleep(0.5)
    return seconds, fleet.ends


def run_of_ours(
    kube: Kube, home: pathlib.Path, settings: Settings, cells: int, run: str, *, faults: bool, lost: range
) -> dict[str, Any]:
    """Launches a grid as k8s.launch does and plays its trainers; what came of it."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        store, taken = BucketLike(pathlib.Path(folder)), Counter[str]()
        frozen = Frozen(run=run, grid=grid(cells), provenance={})
        results_of = {
            c.id: results.to_bytes(epochs_table(c)) for c in frozen.grid.cells
        }  # real trainers make theirs elsewhere
        began = time.monotonic()
        store.put_once(keys.grid(run), frozen.to_bytes(), "launch")
        todo = work(run, frozen.grid, range(cells), Scene(prepared={"digits"}))
        commission = render.Launch(store=store.url, run=run, grid=frozen.grid.name, git_commit="", settings=settings)
        executor.hand_over(kube, store, todo, executor.manifests_for(commission, frozen.grid, todo))
        launching = time.monotonic() - began
        indexes = read_assignment(store, run, todo.trainers[0].job).indexes

        def committing(index: int, uid: str) -> None:
            cell = frozen.grid.cells[indexes[index]]
            taken[cell.id] += store.put_once(keys.epochs(cell), results_of[cell.id], uid)

        seconds, ends = play(kube, home, todo.trainers[0].job, committing, faults=faults, lost=lost)
        kube.delete("Job", todo.collect)
        done = survey.finished(store, read_run(store, run).grid.cells)
        assert set(done) == {c.id for c in frozen.grid.cells} and set(taken.values()) == {1}, (
            "a cell is missing or was committed twice"
        )
        return {"seconds": round(seconds + launching, 1), "pods": dict(ends), "cells_committed_once": len(done)}
