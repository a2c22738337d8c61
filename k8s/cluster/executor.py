"""The Kubernetes executor: what ``python -m k8s.launch`` does when it trains on a cluster."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import uuid
from collections.abc import Mapping, Sequence

from experiment import keys
from experiment.errors import InvalidInput
from experiment.grid import Grid
from experiment.run import Run
from experiment.store import Store, check_conditional_writes
from k8s.cluster import submit, watch
from k8s.cluster.connect import connect_cluster
from k8s.cluster.kube import Kube
from k8s.cluster.observe import find_existing
from k8s.manifests import checks, jobs, names, render, sources
from k8s.manifests.names import Manifest
from k8s.manifests.settings import Settings
from k8s.manifests.template import to_yaml
from k8s.planning import cluster_plan
from k8s.planning.freeze import freeze_grid, launch_provenance
from k8s.planning.jobs_needed import Existing, NeededJobs, find_needed_jobs
from k8s.planning.plan import Plan

REHEARSAL = (
    "a rehearsal: only a launch writes the lists of cells that the pods read, so do not apply these manifests yourself"
)


def launch_on_cluster(
    arguments: argparse.Namespace, store: Store, run_name: str, plan: Plan, *, unasked: str = ""
) -> int:
    """Creates the Jobs that the run still needs; returns the exit code.

    Args:
        unasked: why the store cannot be asked; only a rehearsal goes on without it.

    Raises:
        InvalidInput: settings, manifests or the cluster do not allow it. Jobs that were created before are printed.
    """
    settings = sources.load_settings(arguments, os.environ)
    if arguments.dry_run == "client":
        return rehearse_launch(settings, store, run_name, plan, unasked=unasked)
    with connect_cluster(settings.context, settings.namespace) as kube:
        return launch_jobs(kube, arguments, settings, store, run_name, plan)


def launch_jobs(
    kube: Kube, arguments: argparse.Namespace, settings: Settings, store: Store, run_name: str, plan: Plan
) -> int:
    """Checks and creates the Jobs on this cluster; returns the exit code."""
    submit.check_namespace(kube, settings)
    provenance = launch_provenance(settings.image)
    plan = dataclasses.replace(plan, grid=_planned_run(store, run_name, plan.grid, provenance).grid)
    existing = find_existing(kube, store, run_name)
    needed = find_needed_jobs(run_name, plan.grid, plan.missing, existing)
    print_lines(*cluster_plan.describe_launch(run_name, plan, needed, settings))
    print_server_warning(settings)
    launch = _launch(store.url, run_name, plan.grid, provenance, settings)
    check_active_jobs(existing, launch)
    manifests = launch_manifests(launch, plan.grid, needed)
    checks.check_manifests(manifests)
    submit.check_on_server(kube, manifests)
    if arguments.dry_run:
        print_lines(f"the server accepts {len(manifests)} Jobs; nothing was created")
        return 0
    check_conditional_writes(store)
    run = freeze_grid(store, run_name, plan.grid, provenance)
    create_jobs(kube, store, needed, manifests)
    adjust_parallelism(kube, existing, settings)
    if arguments.wait:
        return watch.watch_run(kube, store, run)
    print_next_steps(store, run_name, settings)
    return 0


def rehearse_launch(settings: Settings, store: Store, run_name: str, plan: Plan, *, unasked: str = "") -> int:
    """Prints the manifests as YAML on stdout and the plan on stderr; asks no cluster and writes nothing."""
    provenance = launch_provenance(settings.image)
    existing = Existing()
    if not unasked:
        plan = dataclasses.replace(plan, grid=_planned_run(store, run_name, plan.grid, provenance).grid)
        prepared = cluster_plan.prepared_datasets(store)
        existing = Existing(prepared=prepared, reported=store.exists(keys.report(run_name)))
    needed = find_needed_jobs(run_name, plan.grid, plan.missing, existing)
    print(*cluster_plan.describe_launch(run_name, plan, needed, settings), sep="\n", file=sys.stderr)
    manifests = launch_manifests(_launch(store.url, run_name, plan.grid, provenance, settings), plan.grid, needed)
    checks.check_manifests(manifests)
    print(REHEARSAL, file=sys.stderr)
    print_server_warning(settings)
    print(to_yaml(manifests), end="")
    return 0


def _planned_run(store: Store, run_name: str, grid: Grid, provenance: Mapping[str, str]) -> Run:
    """Returns the run as an earlier launch of the same cells froze it, or as this one would; writes nothing."""
    if store.exists(keys.grid(run_name)):
        return freeze_grid(store, run_name, grid, provenance)
    return Run(name=run_name, grid=grid, provenance=provenance)


def _launch(url: str, run_name: str, grid: Grid, provenance: Mapping[str, str], settings: Settings) -> render.Launch:
    commit = provenance["git_commit"]
    return render.Launch(store=url, run=run_name, grid=grid.name, git_commit=commit, settings=settings)


def launch_manifests(launch: render.Launch, grid: Grid, needed: NeededJobs) -> list[Manifest]:
    """Returns the manifests in the order of their creation: a Job that waits for another comes after it."""
    prepare = [render.prepare_manifest(launch, dataset, job) for job, dataset in needed.prepare.items()]
    trainers = [
        render.trainer_manifest(launch, grid.cells[a.indexes[0]].dataset, a.job, len(a.indexes))
        for a in needed.trainers
    ]
    collect = [render.collect_manifest(launch, needed.collect)] if needed.collect else []
    return [*prepare, *trainers, *collect]


def check_active_jobs(existing: Existing, launch: render.Launch) -> None:
    """Checks that the run's unfinished Jobs are the ones that these settings would make.

    Raises:
        InvalidInput: they differ; the differences are named.
    """
    for job in existing.jobs:
        known = (existing.assignments or {}).get(jobs.object_name(job))
        if known and not jobs.has_ended(job):
            dataset = jobs.label_of(job, names.DATASET)
            wanted = render.trainer_manifest(launch, dataset, known.job, len(known.indexes))
            changed = submit.job_differences(wanted, job)
            if changed:
                raise InvalidInput(
                    f"Job {known.job} of this run is active with other settings: {'; '.join(changed[:5])}; "
                    "launch with those settings, wait for its end, or cancel it (python -m k8s.cancel)"
                )


def create_jobs(kube: Kube, store: Store, needed: NeededJobs, manifests: Sequence[Manifest]) -> None:
    """Writes which Job covers which cells, then creates the Jobs."""
    for assignment in needed.trainers:
        store.put_once(keys.assignment(assignment.run, assignment.job), assignment.to_bytes(), uuid.uuid4().hex)
    submit.create_manifests(kube, manifests, print_lines)
    if not manifests:
        print_lines("nothing to create")


def adjust_parallelism(kube: Kube, existing: Existing, settings: Settings) -> None:
    """Gives the run's unfinished trainer Jobs the parallelism of the settings, where no Kueue queue decides it."""
    for job in existing.jobs:
        if not jobs.is_part(job, names.TRAINER) or jobs.has_ended(job) or jobs.label_of(job, names.QUEUE):
            continue
        most = job["spec"]["completions"]
        wanted = min(settings.of(jobs.label_of(job, names.DATASET)).parallelism or most, most)
        if wanted != job["spec"]["parallelism"]:
            kube.patch("Job", jobs.object_name(job), {"spec": {"parallelism": wanted}})
            print_lines(f"parallelism of {jobs.object_name(job)}: {job['spec']['parallelism']} -> {wanted}")


def print_next_steps(store: Store, run_name: str, settings: Settings) -> None:
    """Prints how to follow the run."""
    where = f"--run {keys.run_url(store.url, run_name)} --namespace {settings.namespace}"
    report = f"{store.url}/{keys.report(run_name)}"
    print_lines(f"follow it with python -m k8s.status {where}", f"report: {report}, made by the collecting Job")


def print_server_warning(settings: Settings) -> None:
    """Warns on stderr of an S3 server that pods may not reach or trust."""
    for line in cluster_plan.warn_of_server(settings, os.environ):
        print(line, file=sys.stderr, flush=True)


def print_lines(*lines: str) -> None:
    """Prints lines at once, whatever buffers standard output."""
    print(*lines, sep="\n", flush=True)
