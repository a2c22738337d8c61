"""The Kubernetes executor: what ``python -m k8s.launch`` does when it trains on a cluster."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import uuid
from collections.abc import Mapping, Sequence

from experiment import keys, urls
from experiment.errors import InvalidInput
from experiment.grid import Grid
from experiment.run import Run
from experiment.store import Store, check_conditional_writes
from k8s.cluster import consent, handover, submit, watch
from k8s.cluster.connect import connect_as_set
from k8s.cluster.kube import Kube
from k8s.cluster.observe import find_existing
from k8s.cluster.parallelism import adjust_ceiling, adjust_parallelism
from k8s.manifests import checks, jobs, names, patch, render, sources
from k8s.manifests.names import Manifest
from k8s.manifests.settings import Settings
from k8s.manifests.template import to_yaml
from k8s.planning import ceilings, cluster_plan, expectation
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
    with connect_as_set(settings) as kube:
        return launch_jobs(kube, arguments, settings, store, run_name, plan)


def launch_jobs(
    kube: Kube, arguments: argparse.Namespace, settings: Settings, store: Store, run_name: str, plan: Plan
) -> int:
    """Checks and creates the Jobs on this cluster; returns the exit code."""
    submit.check_namespace(kube, settings)
    provenance = launch_provenance(settings.image)
    plan = dataclasses.replace(plan, grid=_planned_run(store, run_name, plan.grid, provenance).grid)
    existing = find_existing(kube, store, run_name)
    needed = find_needed_jobs(run_name, plan.grid, plan.missing, existing, cells_per_pod=settings.cells_of_pod)
    expected = cluster_plan.forecast_launch(plan, needed, existing, settings)
    print_lines(*cluster_plan.describe_launch(run_name, plan, needed, settings, expected))
    print_server_warning(settings)
    spent = expectation.read_dollars(store, run_name, settings)
    if not arguments.dry_run:
        ceilings.check_dollars(expected.dollars, settings, spent)
    launch = make_launch(store.url, run_name, plan.grid, provenance["git_commit"], settings, expected)
    check_active_jobs(existing, launch)
    manifests = launch_manifests(launch, plan.grid, needed)
    checks.check_manifests(manifests)
    submit.check_on_server(kube, manifests, print_lines)
    if arguments.dry_run:
        print_lines(f"the server accepts {len(manifests)} Jobs; nothing was created")
        print_lines(*ceilings.describe_limits(expected.dollars, settings, spent))
        return 0
    consent.ask_for_consent(expected.dollars, settings, yes=arguments.yes)
    check_conditional_writes(store)
    run = freeze_grid(store, run_name, plan.grid, provenance)
    print_lines(*adjust_parallelism(kube, existing, settings, expected.shares))
    print_lines(*adjust_ceiling(kube, existing, settings))
    expectation.record_expectations(store, run_name, expected.told)
    create_jobs(kube, store, needed, manifests)
    print_lines(*handover.settle_waiting_jobs(kube, store, run, existing.jobs, existing.assignments or {}))
    if arguments.wait:
        where = f" --context {settings.context}" if settings.context else ""
        minutes, seconds = settings.hopeless_minutes, settings.outage_seconds
        return watch.watch_run(kube, store, run, hopeless_minutes=minutes, outage_seconds=seconds, where=where)
    print_next_steps(store, run_name, settings)
    return 0


def rehearse_launch(settings: Settings, store: Store, run_name: str, plan: Plan, *, unasked: str = "") -> int:
    """Prints the manifests as YAML on stdout and the plan on stderr; asks no cluster and writes nothing."""
    provenance = launch_provenance(settings.image)
    existing = Existing()
    if not unasked:
        plan = dataclasses.replace(plan, grid=_planned_run(store, run_name, plan.grid, provenance).grid)
        existing = Existing(reported=store.exists(keys.report(run_name)))
    needed = find_needed_jobs(run_name, plan.grid, plan.missing, existing, cells_per_pod=settings.cells_of_pod)
    expected = cluster_plan.forecast_launch(plan, needed, existing, settings)
    limits = ceilings.describe_limits(expected.dollars, settings)
    lines = cluster_plan.describe_launch(run_name, plan, needed, settings, expected)
    print(*lines, *limits, sep="\n", file=sys.stderr)
    launch = make_launch(store.url, run_name, plan.grid, provenance["git_commit"], settings, expected)
    manifests = launch_manifests(launch, plan.grid, needed)
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


def make_launch(
    url: str, run_name: str, grid: Grid, git_commit: str, settings: Settings, expected: cluster_plan.LaunchForecast
) -> render.Launch:
    """Returns what the manifests of a launch have in common.

    Raises:
        InvalidInput: the setting pod_patch names no patch.
    """
    return render.Launch(
        store=url,
        run=run_name,
        grid=grid.name,
        git_commit=git_commit,
        settings=settings,
        pod_patch=patch.read_patch(settings.pod_patch),
        parallelism=expected.shares,
        prices=expected.prices,
    )


def launch_manifests(launch: render.Launch, grid: Grid, needed: NeededJobs) -> list[Manifest]:
    """Returns the manifests in the order of their creation: a Job that waits for another comes after it."""
    prepare = [render.prepare_manifest(launch, dataset, job) for job, dataset in needed.prepare.items()]
    trainers = []
    for a in needed.trainers:
        dataset = grid.cells[a.indexes[0]].dataset
        waits = needed.wait_of(launch.run, dataset, a.job)
        trainers.append(render.trainer_manifest(launch, dataset, a.job, len(a.groups), waits))
    collect = [render.collect_manifest(launch, needed.collect)] if needed.collect else []
    return [submit.sign_manifest(m) for m in (*prepare, *trainers, *collect)]


def check_active_jobs(existing: Existing, launch: render.Launch) -> None:
    """Checks that the run's unfinished Jobs are the ones that these settings would make.

    Raises:
        InvalidInput: they differ; the differences are named.
    """
    for job in existing.jobs:
        known = (existing.assignments or {}).get(jobs.object_name(job))
        if known and not jobs.has_ended(job):
            dataset = jobs.label_of(job, names.DATASET)
            wanted = render.trainer_manifest(launch, dataset, known.job, len(known.groups), jobs.waits_of(job))
            changed = submit.setting_differences(wanted, job)
            if changed:
                raise InvalidInput(
                    f"Job {known.job} of this run is active with other settings: {'; '.join(map(str, changed[:5]))}; "
                    "launch with those settings, wait for its end, or cancel it (python -m k8s.cancel)"
                )


def create_jobs(kube: Kube, store: Store, needed: NeededJobs, manifests: Sequence[Manifest]) -> None:
    """Writes which Job covers which cells, then creates the Jobs."""
    for assignment in needed.trainers:
        placed = dataclasses.replace(assignment, namespace=kube.namespace)
        store.put_once(keys.assignment(placed.run, placed.job), placed.to_bytes(), uuid.uuid4().hex)
    submit.create_manifests(kube, manifests, print_lines)
    if not manifests:
        print_lines("nothing to create")


def print_next_steps(store: Store, run_name: str, settings: Settings) -> None:
    """Prints how to follow the run."""
    where = f"--run {urls.run_url(store.url, run_name)} --namespace {settings.namespace}"
    report = f"{store.url}/{keys.report(run_name)}"
    print_lines(f"follow it with python -m k8s.status {where}", f"report: {report}, made by the collecting Job")


def print_server_warning(settings: Settings) -> None:
    """Warns on stderr of an S3 server that pods may not reach or trust."""
    for line in cluster_plan.warn_of_server(settings, os.environ):
        print(line, file=sys.stderr, flush=True)


def print_lines(*lines: str) -> None:
    """Prints lines at once, whatever buffers standard output."""
    for line in lines:
        print(line, flush=True)
