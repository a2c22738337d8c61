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
from k8s.cluster.preparation import starting_change
from k8s.manifests import jobs, render
from k8s.manifests.settings import Settings
from k8s.planning import survey
from k8s.planning.jobs_needed import Existing, NeededJobs, find_needed_jobs
from tests.cluster import simulated
from tests.factories import epochs_table

IMAGE = "registry.example/benchmark@sha256:" + "0" * 64
# Seconds between two looks of the garbage collector for pods without a node; it acts only 40 s later. Every Job begins,
# and loses its nodes, at the same moment of this round: otherwise chance would give one of them up to 20 s more.
ROUND = 20.0
MEMORY = "/dev/shm"  # the store's disk is not what is measured


class BucketLike(LocalStore):
    """A store whose URL pods could reach: nothing here runs in a pod."""

    def __init__(self, root: pathlib.Path) -> None:
        super().__init__(root, create=True)
        self.url = "s3://benchmark/prefix"


def scale_grid(count: int) -> Grid:
    """Returns a grid of ``count`` small cells, from its TOML table."""
    base = {"dataset": "digits", "method": "single", "epochs": 2, "batch_size": 32}
    base |= {"train_examples": 64, "test_examples": 10}
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


def bare_job(name: str, space: str, cells: int, parallel: int) -> dict[str, Any]:
    """Returns the smallest Indexed Job that comes to an end under these faults."""
    room = {"cpu": "3", "memory": "12Gi", "nvidia.com/gpu": "1"}
    container = {"name": "trainer", "image": IMAGE, "resources": {"requests": room, "limits": room}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": space},
        "spec": {
            "completionMode": "Indexed",
            "completions": cells,
            "parallelism": parallel,
            "backoffLimitPerIndex": 10,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }


def lose_nodes(ground: Ground, gone: set[str]) -> None:
    """Takes nodes away with all their pods, without a warning, one round of the garbage collector after the Job's creation."""
    time.sleep(ROUND)
    gone.update(f"gpu-{number}" for number in ground.lost)
    for number in ground.lost:
        ground.kube.request("DELETE", f"/api/v1/nodes/gpu-{number}")


def play_pods(
    ground: Ground, job: str, commit: Callable[[int, str], None], *, faults: bool
) -> tuple[float, Counter[str]]:
    """Plays a Job's pods to its end; returns the seconds and how pods ended."""
    kube = ground.kube
    fleet = Fleet(kube=kube, job=job, commit=commit, failing=0.05 if faults else 0.0)
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


def start_prepared(kube: Kube, needed: NeededJobs) -> None:
    """Does what follows when the data set is prepared, at once: a bare Job waits for no data, so that time is not compared."""
    for assignment in needed.trainers:
        kube.patch("Job", assignment.job, starting_change(kube.get("Job", assignment.job)))
    for job in needed.prepare:
        kube.delete("Job", job)


def launch_ours(ground: Ground, settings: Settings, cells: int, name: str, *, faults: bool) -> dict[str, Any]:
    """Launches a grid as k8s.launch does and plays its trainers; returns seconds, ends of pods and commits."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        store, taken = BucketLike(pathlib.Path(folder)), Counter[str]()
        run = Run(name=name, grid=scale_grid(cells), provenance={})
        own = {c.id: results.to_bytes(epochs_table(c)) for c in run.grid.cells}  # trainers make theirs elsewhere
        ground.align()
        began = time.monotonic()
        store.put_once(keys.grid(name), run.to_bytes(), "launch")
        needed = find_needed_jobs(name, run.grid, range(cells), Existing())
        launch = render.Launch(store=store.url, run=name, grid=run.grid.name, git_commit="", settings=settings)
        executor.create_jobs(ground.kube, store, needed, executor.launch_manifests(launch, run.grid, needed))
        start_prepared(ground.kube, needed)
        launching = time.monotonic() - began
        groups = read_assignment(store, name, needed.trainers[0].job).groups

        def commit(index: int, uid: str) -> None:
            (place,) = groups[index]
            cell = run.grid.cells[place]
            taken[cell.id] += store.put_once(keys.epochs(cell), own[cell.id], uid)

        seconds, ends = play_pods(ground, needed.trainers[0].job, commit, faults=faults)
        ground.kube.delete("Job", needed.collect)
        done = survey.done_cells(store, read_run(store, name).grid.cells)
        assert set(done) == {c.id for c in run.grid.cells}, "a cell is missing"
        assert set(taken.values()) == {1}, "a cell was committed twice"
        return {"seconds": round(seconds + launching, 1), "pods": dict(ends), "cells_committed_once": len(done)}
