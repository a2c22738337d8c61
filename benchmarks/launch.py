"""Launching at scale, on a real control plane with simulated nodes: ``python -m benchmarks.launch``.

1,000 cells on 100 nodes, with 5 % of the pods failing and 10 % of the nodes lost: is every cell committed exactly once, and
how does the time compare with that of a bare Indexed Job under the same faults on the same cluster? The bare Job has nothing
but a container, completions, parallelism and a back-off limit per index (without one the first failures delay all the rest).
Then 10,000 cells: how long do planning and rendering take, and does the server accept the Job?
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks.fleet import Fleet
from experiment import keys
from experiment.assignment import read_assignment
from experiment.cell import Cell
from experiment.frozen import Frozen, read_run
from experiment.grid import Grid, parse_grid
from experiment.store import LocalStore, Store
from k8s import checks, jobs, namespace, render, survey
from k8s import cluster as executor
from k8s.kube import MERGE, Kube, connect
from k8s.settings import Settings
from k8s.work import Scene, work
from tests.cluster import cluster, simulated
from tests.made import commit

IMAGE = "registry.example/benchmark@sha256:" + "0" * 64
MOST_RATIO, MOST_SECONDS = 1.10, 3.0


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
    with tempfile.TemporaryDirectory() as folder:
        store, taken = BucketLike(pathlib.Path(folder)), Counter[str]()
        frozen = Frozen(run=run, grid=grid(cells), provenance={})
        began = time.monotonic()
        store.put_once(keys.grid(run), frozen.to_bytes(), "launch")
        todo = work(run, frozen.grid, range(cells), Scene(prepared={"digits"}))
        commission = render.Launch(store=store.url, run=run, grid=frozen.grid.name, git_commit="", settings=settings)
        executor.hand_over(kube, store, todo, executor.manifests_for(commission, frozen.grid, todo))
        launching = time.monotonic() - began
        indexes = read_assignment(store, run, todo.trainers[0].job).indexes

        def committing(index: int, uid: str) -> None:
            cell = frozen.grid.cells[indexes[index]]
            taken[cell.id] += commit(store, cell, uid)

        seconds, ends = play(kube, home, todo.trainers[0].job, committing, faults=faults, lost=lost)
        kube.delete("Job", todo.collect)
        done = survey.finished(store, read_run(store, run).grid.cells)
        assert set(done) == {c.id for c in frozen.grid.cells} and set(taken.values()) == {1}, (
            "a cell is missing or was committed twice"
        )
        return {"seconds": round(seconds + launching, 1), "pods": dict(ends), "cells_committed_once": len(done)}


def plan_and_render(settings: Settings, cells: int) -> tuple[float, list[dict[str, Any]]]:
    """Seconds from the grid's TOML table to checked manifests, and the manifests."""
    with tempfile.TemporaryDirectory() as folder:
        store: Store = BucketLike(pathlib.Path(folder))
        began = time.monotonic()
        made = grid(cells)
        plan = survey.look(store, made, retry_diverged=False)
        frozen = Frozen(run="large", grid=made, provenance={}).to_bytes()
        todo = work("large", made, plan.missing, Scene(prepared={"digits"}))
        commission = render.Launch(store=store.url, run="large", grid=made.name, git_commit="", settings=settings)
        manifests = executor.manifests_for(commission, made, todo)
        checks.check(manifests)
        assert len(frozen) > cells * len(Cell(dataset="digits", method="single").id)
        return time.monotonic() - began, manifests


def main() -> int:
    """Measures and prints one JSON object; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--parallelism", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=1, help="of bare and ours, one after the other")
    arguments = parser.parse_args()
    settings = Settings(
        image=IMAGE, aggregator_image=IMAGE, namespace="benchmark", parallelism=arguments.parallelism, retries=10
    )
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        cluster.up(home, kwok=arguments.nodes)
        try:
            os.environ["KUBECONFIG"] = str(home / "admin.kubeconfig")
            with connect("", "benchmark") as kube:
                found = measure(kube, home, settings, arguments)
        finally:
            cluster.down(home)
    print(json.dumps(found, indent=1))
    return 0 if found["ratio"] <= MOST_RATIO and found["plan_and_render_seconds"] <= MOST_SECONDS else 1


def measure(kube: Kube, home: pathlib.Path, settings: Settings, arguments: argparse.Namespace) -> dict[str, Any]:
    """All measurements, on one cluster."""
    for manifest in namespace.manifests(settings, namespace.Options()):
        kube.apply(manifest)
    cells, lost = arguments.cells, range(arguments.nodes // 10)
    restrict = {
        "metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}
    }  # a bare Job's pods keep no rules
    kube.request("PATCH", kube.path("Namespace", "benchmark"), {}, restrict, MERGE)
    rows: list[dict[str, Any]] = []
    for number in range(arguments.rounds):
        for faults in (False, True):
            name = f"bare-{number}-{int(faults)}"
            kube.create(bare(name, "benchmark", cells, arguments.parallelism))
            seconds, ends = play(kube, home, name, lambda *_: None, faults=faults, lost=lost)
            rows.append({"job": "bare", "faults": faults, "seconds": round(seconds, 1), "pods": dict(ends)})
            print(json.dumps(rows[-1]), flush=True)
            ours = run_of_ours(kube, home, settings, cells, f"ours-{number}-{int(faults)}", faults=faults, lost=lost)
            rows.append({"job": "ours", "faults": faults, **ours})
            print(json.dumps(rows[-1]), flush=True)
    seconds, manifests = plan_and_render(settings, 10_000)
    for manifest in manifests:
        kube.create(manifest, dry_run=True)
    return {
        "runs": rows,
        "ratio": ratio(rows, faults=True),
        "ratio_without_faults": ratio(rows, faults=False),
        "plan_and_render_seconds": round(seconds, 2),
        "accepted_cells": max(m["spec"]["completions"] for m in manifests),
    }


def ratio(rows: list[dict[str, Any]], *, faults: bool) -> float:
    """Our time over the bare Job's, both with or both without faults, all rounds together."""
    sums = {
        job: sum(r["seconds"] for r in rows if (r["job"], r["faults"]) == (job, faults)) for job in ("ours", "bare")
    }
    return round(sums["ours"] / sums["bare"], 3)


if __name__ == "__main__":
    raise SystemExit(main())
