"""``python -m k8s.launch --grid NAME``: trains the cells of a grid that have no result yet, then reports on all of them."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import os
import sys
from collections.abc import Sequence

from experiment import urls
from experiment.grid import Grid, load_grid
from experiment.places import visible_gpus
from experiment.program import run_program
from experiment.run import check_run_name
from experiment.store import Store, check_conditional_writes, open_store
from k8s import verbs
from k8s.arguments import check_until_flags, parse_launch_arguments
from k8s.local import executor, probe
from k8s.local.crew import find_crew
from k8s.local.prepare import prepare_own_data
from k8s.local.programs import Programs
from k8s.manifests import sources
from k8s.planning import cluster_plan, survey
from k8s.planning.freeze import freeze_grid, launch_provenance
from k8s.planning.plan import Plan, list_cells, summarize_plan
from k8s.until import launch_rounds

PROGRAMS = Programs()


def main(argv: Sequence[str] | None = None, programs: Programs = PROGRAMS) -> int:
    """Parses, plans and launches; returns the exit code. ``programs`` are the commands of trainer and aggregator."""
    return verbs.run_verb(lambda arguments: launch_grid(arguments, programs), parse_launch_arguments(argv))


def launch_grid(arguments: argparse.Namespace, programs: Programs) -> int:
    """Launches the grid that the flags name: once, or in rounds until claims are decided."""
    sources.check_environment(os.environ)
    check_until_flags(arguments)
    grid = load_selected_grid(arguments)
    run_name = grid.run if arguments.run is None else arguments.run
    check_run_name(run_name)
    if arguments.until_decided:
        launch = functools.partial(launch_cells, programs=programs)
        return launch_rounds(arguments, grid, run_name, programs, launch)
    return launch_cells(arguments, grid, run_name, programs=programs)


def launch_cells(arguments: argparse.Namespace, grid: Grid, run_name: str, *, programs: Programs) -> int:
    """Plans the missing cells and hands them to the executor."""
    on_cluster = arguments.executor == "kubernetes"
    if on_cluster and not arguments.plan:
        cluster_plan.require_shared_store(arguments.store)
    empty = arguments.plan and survey.store_is_absent(arguments.store)
    store = None if empty else open_store(arguments.store, create=True)
    rehearsed = on_cluster and not arguments.plan and arguments.dry_run == "client"
    unasked = survey.why_unreachable(store, run_name) if store and (arguments.plan or rehearsed) else ""
    if unasked:
        print_unasked(unasked, rehearsed=rehearsed)
    asked = None if unasked else store
    plan = survey.survey_store(asked, grid, retry_diverged=arguments.retry_diverged) if asked else Plan(grid=grid)
    verbs.print_warnings(plan.problems)
    if arguments.plan:
        print(*list_cells(plan), sep="\n")
    if store and not arguments.plan and not arguments.dry_run:
        prepare_own_data([grid.cells[i] for i in plan.missing], arguments.grid, store, programs)
    if not on_cluster:
        return launch_here(arguments, asked, run_name, plan, programs)
    if arguments.plan or store is None:
        print(*cluster_plan.preview_launch(arguments, run_name, plan), sep="\n")
        return 0
    from k8s.cluster.executor import launch_on_cluster  # its packages are not needed for a launch on this machine

    return launch_on_cluster(arguments, store, run_name, plan, unasked=unasked)


def print_unasked(reason: str, *, rehearsed: bool) -> None:
    """Prints that plan or manifests were made without the store; before YAML as a comment."""
    line = f"the store could not be asked, so every cell counts as missing: {reason}"
    if rehearsed:
        print(f"# {line}")
    print(line, file=sys.stderr if rehearsed else sys.stdout)


def load_selected_grid(arguments: argparse.Namespace) -> Grid:
    """Returns the grid that the flags name, with its seeds and its selection."""
    grid = load_grid(arguments.grid)
    grid = grid.with_seeds(arguments.seeds) if arguments.seeds else grid
    return grid.only(arguments.only) if arguments.only else grid


def launch_here(
    arguments: argparse.Namespace, store: Store | None, run_name: str, plan: Plan, programs: Programs
) -> int:
    """Prints the plan for this machine and, unless only that was asked for, trains."""
    if arguments.plan or store is None:
        crew = find_crew(arguments, visible_gpus(os.environ), len(plan.missing))
        print(f"grid {plan.grid.name}: {summarize_plan(plan, max(crew.workers, 1))}")
        return 0
    crew = find_crew(arguments, find_gpus(programs) if plan.missing else [], len(plan.missing))
    print(f"grid {plan.grid.name}: {summarize_plan(plan, max(crew.workers, 1))}")
    check_conditional_writes(store)
    provenance = launch_provenance()
    run = freeze_grid(store, run_name, plan.grid, provenance)
    url = urls.run_url(store.url, run_name)
    print(f"run {url}", flush=True)
    env = {**programs.env, "GIT_COMMIT": provenance["git_commit"]}
    tensorboard = bool(sources.given_value(arguments, os.environ, "tensorboard"))
    programs = dataclasses.replace(programs, env=env, tensorboard=tensorboard)
    return executor.launch_locally(store, url, dataclasses.replace(plan, grid=run.grid), crew, programs)


def find_gpus(programs: Programs) -> list[str]:
    """Returns the GPUs of this machine that the trainer can use; warns of others."""
    gpus = visible_gpus(os.environ)
    usable = probe.find_usable_gpus(gpus, functools.partial(probe.count_usable_gpus, programs))
    warning = probe.describe_unusable(gpus, usable)
    if warning:
        print(warning, file=sys.stderr, flush=True)
    return usable


if __name__ == "__main__":
    run_program(main)
