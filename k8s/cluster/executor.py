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
from experiment.store import Store
from k8s.cluster import jobs, scene, submit, watch
from k8s.cluster.kube import Kube, connect
from k8s.manifests import checks, names, render, sources
from k8s.manifests.names import Manifest
from k8s.manifests.settings import Settings
from k8s.manifests.template import to_yaml
from k8s.planning import outlook
from k8s.planning.freeze import freeze, provenance
from k8s.planning.plan import Plan
from k8s.planning.work import Scene, Work, work


def launch(arguments: argparse.Namespace, store: Store, run: str, plan: Plan) -> int:
    """Creates the Jobs that the run still needs; returns the exit code.

    Raises:
        InvalidInput: settings, manifests or the cluster do not allow it; nothing was created, or what was is named.
    """
    settings = sources.load(arguments, os.environ)
    if arguments.dry_run == "client":
        return rehearse(settings, store, run, plan)
    with connect(settings.context, settings.namespace) as kube:
        return on(kube, arguments, settings, store, run, plan)


def on(kube: Kube, arguments: argparse.Namespace, settings: Settings, store: Store, run: str, plan: Plan) -> int:
    """The launch on this cluster."""
    submit.ready(kube, settings)
    made = provenance(settings.image)
    frozen = _frozen(store, run, plan.grid, made)
    plan = dataclasses.replace(plan, grid=frozen.grid)
    found = scene.look(kube, store, run)
    todo = work(run, frozen.grid, plan.missing, found)
    say(*outlook.describe(run, plan, todo, settings, outlook.speeds(store, plan)))
    commission = render.Launch(
        store=store.url, run=run, grid=frozen.grid.name, git_commit=made["git_commit"], settings=settings
    )
    agree(found, commission)
    manifests = manifests_for(commission, plan.grid, todo)
    checks.check(manifests)
    if arguments.dry_run:
        submit.judge(kube, manifests)
        say(f"the server accepts {len(manifests)} Jobs; nothing was created")
        return 0
    submit.judge(kube, manifests)
    frozen = freeze(store, run, plan.grid, made)
    hand_over(kube, store, todo, manifests)
    widen(kube, found, settings)
    return watch.wait(kube, store, frozen) if arguments.wait else advise(store, run, settings)


def rehearse(settings: Settings, store: Store, run: str, plan: Plan) -> int:
    """Prints the manifests as YAML on stdout, the plan on stderr; asks no cluster and writes nothing."""
    made = provenance(settings.image)
    grid = _frozen(store, run, plan.grid, made).grid
    plan = dataclasses.replace(plan, grid=grid)
    todo = work(
        run, grid, plan.missing, Scene(prepared=outlook.prepared(store), reported=store.exists(keys.report(run)))
    )
    print(*outlook.describe(run, plan, todo, settings, outlook.speeds(store, plan)), sep="\n", file=sys.stderr)
    commission = render.Launch(
        store=store.url, run=run, grid=grid.name, git_commit=made["git_commit"], settings=settings
    )
    manifests = manifests_for(commission, plan.grid, todo)
    checks.check(manifests)
    note = "a rehearsal: only a launch writes the lists of cells that the pods read, so do not apply these manifests yourself"
    print(note, file=sys.stderr)
    print(to_yaml(manifests), end="")
    return 0


def _frozen(store: Store, run: str, grid: Grid, made: Mapping[str, str]) -> Run:
    """The run as an earlier launch of the same cells froze it, or as this one would; writes nothing."""
    return freeze(store, run, grid, made) if store.exists(keys.grid(run)) else Run(name=run, grid=grid, provenance=made)


def manifests_for(commission: render.Launch, grid: Grid, todo: Work) -> list[Manifest]:
    """The manifests in the order in which they are created: whoever waits comes after what it waits for."""
    trainers = [
        render.trainer(commission, grid.cells[a.indexes[0]].dataset, a.job, len(a.indexes)) for a in todo.trainers
    ]
    return [
        *(render.prepare(commission, dataset, job) for job, dataset in todo.prepare.items()),
        *trainers,
        *([render.collect(commission, todo.collect)] if todo.collect else []),
    ]


def agree(found: Scene, commission: render.Launch) -> None:
    """Checks that the run's unfinished Jobs are those that these settings would make.

    Raises:
        InvalidInput: they differ; what differs is named.
    """
    for job in found.jobs:
        known = (found.assignments or {}).get(jobs.name(job))
        if known and not jobs.finished(job):
            wanted = render.trainer(commission, jobs.label(job, names.DATASET), known.job, len(known.indexes))
            changed = submit.conflicts(wanted, job)
            if changed:
                raise InvalidInput(f"Job {known.job} of this run is active with other settings: {'; '.join(changed[:5])}; "
                                   "launch with those settings, wait for its end, or cancel it (python -m k8s.cancel)")  # fmt: skip


def hand_over(kube: Kube, store: Store, todo: Work, manifests: Sequence[Manifest]) -> None:
    """Writes which Job covers which cells, then creates the Jobs."""
    for assignment in todo.trainers:
        store.put_once(keys.assignment(assignment.run, assignment.job), assignment.to_bytes(), uuid.uuid4().hex)
    submit.submit(kube, manifests, say)
    if not manifests:
        say("nothing to create")


def widen(kube: Kube, found: Scene, settings: Settings) -> None:
    """Gives the run's unfinished trainer Jobs the parallelism of the settings, where Kueue does not decide it."""
    for job in found.jobs:
        if not jobs.part(job, names.TRAINER) or jobs.finished(job) or jobs.label(job, names.QUEUE):
            continue
        most = job["spec"]["completions"]
        wanted = min(settings.of(jobs.label(job, names.DATASET)).parallelism or most, most)
        if wanted != job["spec"]["parallelism"]:
            kube.patch("Job", jobs.name(job), {"spec": {"parallelism": wanted}})
            say(f"parallelism of {jobs.name(job)}: {job['spec']['parallelism']} -> {wanted}")


def advise(store: Store, run: str, settings: Settings) -> int:
    """Says how to follow the run."""
    where = f"--run {keys.run_url(store.url, run)} --namespace {settings.namespace}"
    say(
        f"follow it with python -m k8s.status {where}",
        f"report: {store.url}/{keys.report(run)}, made by the collecting Job",
    )
    return 0


def say(*lines: str) -> None:
    """Prints lines at once."""
    print(*lines, sep="\n", flush=True)
