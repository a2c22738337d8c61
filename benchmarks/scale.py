"""One Job of a thousand simulated pods, a bare one or ours, played to its end under faults."""

from __future__ import annotations

import pathlib
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.fleet import Fleet
from experiment import keys, results
from experiment.assignment import read_assignment
from experiment.grid import Grid, parse_grid
from experiment.run import Run, read_run
from experiment.store import LocalStore
from k8s.cluster import executor
from k8s.cluster.kube import Kube
from k8s.manifests import jobs, render
from k8s.manifests.settings import Settings
from k8s.planning import survey
from k8s.planning.jobs_needed import Existing, find_needed_jobs
from tests.cluster import simulated
from tests.made import epochs_table

IMAGE = "registry.example/benchmark@sha256:" + "0" * 64
# Seconds between two looks of the garbage collector for pods without a node; it believes its eyes only 40 s later. Every Job
# begins, and loses its nodes, at the same moment of this round, or chance would give one of them up to 20 s more than the other.
ROUND = 20.0
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


@dataclass(frozen=True)
class Ground:
    """The cluster of a benchmark: its client, its files, when it began, and the nodes that it will lose."""

    kube: Kube
    home: pathlib.Path
    began: float
    lost: range

    def align(self) -> None:
        """Waits for the moment of the collector's round at which every Job begins."""
        time.sleep(ROUND - (time.monotonic() - self.began) % ROUND)


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


def lose_nodes(ground: Ground, gone: set[str]) -> None:
    """Takes nodes away with all their pods, without a warning, one round of the garbage collector after the Job's creation."""
    time.sleep(ROUND)
    gone.update(f"gpu-{number}" for number in ground.lost)
    for number in ground.lost:
        ground.kube.request("DELETE", f"/api/v1/nodes/gpu-{number}")


def play(
    ground: Ground, job: str, committing: Callable[[int, str], None], *, faults: bool
) -> tuple[float, Counter[str]]:
    """Runs a Job's pods to its end; seconds, and how pods ended."""
    kube = ground.kube
    fleet = Fleet(kube=kube, job=job, commit=committing, failing=0.05 if faults else 0.0)
    loss = threading.Thread(target=lose_nodes, args=(ground, fleet.gone))
    if faults:
        loss.start()
    seconds = fleet.run(lambda: jobs.has_ended(kube.get("Job", job)))
    if faults:
        loss.join()
        simulated.add_nodes(ground.home, ground.lost)
    assert jobs.true_condition(kube.get("Job", job), "Complete"), kube.get("Job", job)["status"]
    kube.delete("Job", job)
    while kube.list("Pod", f"batch.kubernetes.io/job-name={job}"):
        time.sleep(0.5)
    return seconds, fleet.ends


def run_of_ours(ground: Ground, settings: Settings, cells: int, run: str, *, faults: bool) -> dict[str, Any]:
    """Launches a grid as k8s.launch does and plays its trainers; what came of it."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        store, taken = BucketLike(pathlib.Path(folder)), Counter[str]()
        frozen = Run(name=run, grid=grid(cells), provenance={})
        results_of = {
            c.id: results.to_bytes(epochs_table(c)) for c in frozen.grid.cells
        }  # real trainers make theirs elsewhere
        ground.align()
        began = time.monotonic()
        store.put_once(keys.grid(run), frozen.to_bytes(), "launch")
        todo = find_needed_jobs(run, frozen.grid, range(cells), Existing(prepared={"digits"}))
        commission = render.Launch(store=store.url, run=run, grid=frozen.grid.name, git_commit="", settings=settings)
        executor.create_jobs(ground.kube, store, todo, executor.launch_manifests(commission, frozen.grid, todo))
        launching = time.monotonic() - began
        indexes = read_assignment(store, run, todo.trainers[0].job).indexes

        def committing(index: int, uid: str) -> None:
            cell = frozen.grid.cells[indexes[index]]
            taken[cell.id] += store.put_once(keys.epochs(cell), results_of[cell.id], uid)

        seconds, ends = play(ground, todo.trainers[0].job, committing, faults=faults)
        ground.kube.delete("Job", todo.collect)
        done = survey.done_cells(store, read_run(store, run).grid.cells)
        assert set(done) == {c.id for c in frozen.grid.cells} and set(taken.values()) == {1}, (
            "a cell is missing or was committed twice"
        )
        return {"seconds": round(seconds + launching, 1), "pods": dict(ends), "cells_committed_once": len(done)}
