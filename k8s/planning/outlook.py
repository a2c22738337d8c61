"""The plan of a launch on a cluster, in lines: cells per Job, GPUs, hours and dollars. Needs no cluster and no client."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from experiment import keys, records
from experiment.errors import refuse
from experiment.records import Throughput
from experiment.store import Store
from k8s.manifests import sources
from k8s.manifests.settings import Settings
from k8s.planning import forecast, gpu_types
from k8s.planning.plan import Plan
from k8s.planning.work import Scene, Work, work


def within_reach(url: str) -> None:
    """Refuses a store that pods cannot reach."""
    if not url.startswith("s3://"):
        raise refuse("the store", url, "s3://BUCKET/PREFIX, which pods can reach", "give --store, or train here with --executor local")  # fmt: skip


def preview(arguments: argparse.Namespace, store: Store | None, run: str, plan: Plan) -> list[str]:
    """What a launch would do if the cluster had no Job of the run."""
    settings = sources.load(arguments, os.environ)
    todo = work(run, plan.grid, plan.missing, Scene(prepared=prepared(store) if store else ()))
    return describe(run, plan, todo, settings, speeds(store, plan) if store else [])


def prepared(store: Store) -> set[str]:
    """The data sets that the store has."""
    return {name for key in store.list(keys.DATASETS) if (name := keys.dataset_of(key))}


def speeds(store: Store, plan: Plan) -> list[Throughput]:
    """Every training speed that the store knows."""
    found = [records.parse_record(store.read(k), f"{store.url}/{k}") for k in store.list(keys.THROUGHPUT)]
    return forecast.measured(plan.grid, plan.finished, [t for t in found if isinstance(t, Throughput)])


def describe(run: str, plan: Plan, todo: Work, settings: Settings, known: Sequence[Throughput]) -> list[str]:
    """The plan of a launch in lines."""
    table = gpu_types.load_table(settings.gpu_table)
    cells = plan.grid.cells
    parts = [forecast.part(a.job, [cells[i] for i in a.indexes], settings, table, known) for a in todo.trainers]
    head = f"run {run}, namespace {settings.namespace}: {len(cells)} cells, {len(plan.finished)} finished, {len(plan.missing)} to train"
    aside = (
        [f"{len(plan.set_aside)} cells diverged and are set aside (--retry-diverged trains them again)"]
        if plan.set_aside
        else []
    )
    busy = (
        [f"{len(todo.active)} cells are in the hands of {len(set(todo.active.values()))} active Jobs"]
        if todo.active
        else []
    )
    gone = (
        [f"{len(todo.given_up)} cells failed for good; python -m k8s.retry --run {run} trains them again"]
        if todo.given_up
        else []
    )
    first = [f"first prepared: {', '.join(todo.prepare.values())}"] if todo.prepare else []
    return [head, *aside, *busy, *gone, *first, *forecast.lines(parts)]
