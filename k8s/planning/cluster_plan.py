"""The plan of a launch on a cluster, in lines: cells per Job, GPUs, hours and dollars. Needs no cluster and no client."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from experiment import keys, records
from experiment.errors import refuse
from experiment.ledger import DONE
from experiment.records import Throughput
from experiment.store import Store
from k8s.manifests import sources
from k8s.manifests.settings import Settings
from k8s.planning import forecast, gpu_types
from k8s.planning.jobs_needed import Existing, NeededJobs, find_needed_jobs
from k8s.planning.plan import Plan


def require_shared_store(url: str) -> None:
    """Refuses a store that pods cannot reach.

    Raises:
        InvalidInput: the URL is not an ``s3://`` one.
    """
    if not url.startswith("s3://"):
        advice = "give --store, or train here with --executor local"
        raise refuse("the store", url, "s3://BUCKET/PREFIX, which pods can reach", advice)


def preview_launch(arguments: argparse.Namespace, store: Store | None, run_name: str, plan: Plan) -> list[str]:
    """Returns in lines what a launch would do if the cluster had no Job of the run."""
    settings = sources.load_settings(arguments, os.environ)
    existing = Existing(prepared=prepared_datasets(store) if store else ())
    needed = find_needed_jobs(run_name, plan.grid, plan.missing, existing)
    return describe_launch(run_name, plan, needed, settings, known_speeds(store, plan) if store else [])


def prepared_datasets(store: Store) -> set[str]:
    """Returns the names of the data sets that the store has."""
    return {name for key in store.list(keys.DATASETS) if (name := keys.dataset_of(key))}


def known_speeds(store: Store, plan: Plan) -> list[Throughput]:
    """Returns every training speed that the store knows."""
    found = [records.parse_record(store.read(k), f"{store.url}/{k}") for k in store.list(keys.THROUGHPUT)]
    return forecast.measured_speeds(plan.grid, plan.done, [t for t in found if isinstance(t, Throughput)])


def describe_launch(
    run_name: str, plan: Plan, needed: NeededJobs, settings: Settings, speeds: Sequence[Throughput]
) -> list[str]:
    """Returns the plan of a launch in lines."""
    table = gpu_types.load_gpu_types(settings.gpu_table)
    cells = plan.grid.cells
    jobs = [
        forecast.forecast_job(a.job, [cells[i] for i in a.indexes], settings, table, speeds) for a in needed.trainers
    ]
    counts = f"{len(cells)} cells, {len(plan.done)} {DONE}, {len(plan.missing)} to train"
    lines = [f"run {run_name}, namespace {settings.namespace}: {counts}"]
    if plan.set_aside:
        lines.append(f"{len(plan.set_aside)} cells diverged and are set aside (--retry-diverged trains them again)")
    if needed.active:
        lines.append(f"{len(needed.active)} cells belong to {len(set(needed.active.values()))} active Jobs")
    if needed.given_up:
        lines.append(
            f"{len(needed.given_up)} cells failed for good; python -m k8s.retry --run {run_name} trains them again"
        )
    if needed.prepare:
        lines.append(f"first prepared: {', '.join(needed.prepare.values())}")
    return [*lines, *forecast.forecast_table(jobs)]
