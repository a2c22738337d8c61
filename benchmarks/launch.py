"""Launching at scale, on a real control plane with simulated nodes: ``python -m benchmarks.launch``.

1,000 cells on 100 nodes, with 5 % of the pods failing and 10 % of the nodes lost: is every cell committed exactly once, and
how does the time compare with that of a bare Indexed Job under the same faults on the same cluster? The bare Job has nothing
but a container, completions, parallelism and a back-off limit per index (without one the first failures delay all the rest).
A pod runs for 10 to 20 s: real cells take minutes to hours, and the longer, the less a launcher matters.
Then 10,000 cells: how long do planning and rendering take, and does the server accept the Job?
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import tempfile
import time
from typing import Any

from benchmarks.scale import IMAGE, MEMORY, BucketLike, Ground, bare_job, launch_ours, play_pods, scale_grid
from experiment import keys
from experiment.run import Run
from experiment.store import Store
from k8s.cluster import executor
from k8s.cluster.connect import connect_cluster
from k8s.cluster.kube import MERGE
from k8s.manifests import checks, namespace, render
from k8s.manifests.settings import Settings
from k8s.planning import survey
from k8s.planning.jobs_needed import Existing, find_needed_jobs
from tests.cluster import cluster

MOST_RATIO, MOST_SECONDS = 1.10, 3.0


def plan_and_render(settings: Settings, cells: int) -> tuple[float, list[dict[str, Any]]]:
    """Returns the seconds from the grid's TOML table to checked manifests, and the manifests."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        store: Store = BucketLike(pathlib.Path(folder))
        began = time.monotonic()
        made = scale_grid(cells)
        plan = survey.survey_store(store, made, retry_diverged=False)
        store.put_once(keys.grid("large"), Run(name="large", grid=made, provenance={}).to_bytes(), "launch")
        needed = find_needed_jobs("large", made, plan.missing, Existing())
        launch = render.Launch(store=store.url, run="large", grid=made.name, git_commit="", settings=settings)
        manifests = executor.launch_manifests(launch, made, needed)
        checks.check_manifests(manifests)
        return time.monotonic() - began, manifests


def main() -> int:
    """Measures and prints one JSON object; returns 1 if a promise is broken."""
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
            with connect_cluster("", "benchmark") as kube:
                ground = Ground(kube, home, time.monotonic(), range(arguments.nodes // 10))
                found = measure_launches(ground, settings, arguments)
        finally:
            cluster.down(home)
    print(json.dumps(found, indent=1))
    return 0 if found["ratio"] <= MOST_RATIO and found["plan_and_render_seconds"] <= MOST_SECONDS else 1


def measure_launches(ground: Ground, settings: Settings, arguments: argparse.Namespace) -> dict[str, Any]:
    """Returns all measurements, on one cluster; the order of the two Jobs changes from round to round."""
    kube, before = ground.kube, os.getloadavg()[0]
    for manifest in namespace.namespace_manifests(settings, namespace.Options()):
        kube.apply(manifest)
    # A bare Job's pods keep no rules.
    loose = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
    kube.request("PATCH", kube.path("Namespace", "benchmark"), {}, loose, MERGE)
    rows: list[dict[str, Any]] = []
    for number in range(arguments.rounds):
        for faults in (False, True):
            for job in ("bare", "ours")[:: -1 if number % 2 else 1]:
                name = f"{job}-{number}-{int(faults)}"
                rows.append(
                    {"job": job, "faults": faults, **play_job(ground, settings, arguments, name, faults=faults)}
                )
                print(json.dumps(rows[-1]), flush=True)
    seconds, manifests = plan_and_render(settings, 10_000)
    for manifest in manifests:
        kube.create(manifest, dry_run=True)
    return {
        "runs": rows,
        "machine": {"cores": os.cpu_count(), "load_before": before, "load_after": os.getloadavg()[0]},
        "ratio": time_ratio(rows, faults=True),
        "ratio_without_faults": time_ratio(rows, faults=False),
        "plan_and_render_seconds": round(seconds, 2),
        "accepted_cells": max(m["spec"]["completions"] for m in manifests),
    }


def play_job(
    ground: Ground, settings: Settings, arguments: argparse.Namespace, name: str, *, faults: bool
) -> dict[str, Any]:
    """Plays one Job of either kind from its creation to its end; returns its row."""
    if name.startswith("ours"):
        return launch_ours(ground, settings, arguments.cells, name, faults=faults)
    ground.align()
    ground.kube.create(bare_job(name, "benchmark", arguments.cells, arguments.parallelism))
    seconds, ends = play_pods(ground, name, lambda *_: None, faults=faults)
    return {"seconds": round(seconds, 1), "pods": dict(ends)}


def time_ratio(rows: list[dict[str, Any]], *, faults: bool) -> float:
    """Returns our time over the bare Job's, all rounds together, with or without faults."""
    sums = {
        job: sum(r["seconds"] for r in rows if (r["job"], r["faults"]) == (job, faults)) for job in ("ours", "bare")
    }
    return round(sums["ours"] / sums["bare"], 3)


if __name__ == "__main__":
    raise SystemExit(main())
