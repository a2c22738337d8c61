"""``python -m k8s.launch --grid NAME``: trains the cells of a grid that have no result yet, then reports on all of them."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence

from experiment import keys
from experiment.grid import Grid, load_grid
from experiment.store import Store, open_store
from k8s import verbs
from k8s.arguments import parse_launch_arguments
from k8s.local import devices, executor
from k8s.local.programs import Programs
from k8s.planning import cluster_plan, survey
from k8s.planning.freeze import freeze_grid, launch_provenance
from k8s.planning.plan import Plan, list_cells, summarize_plan

PROGRAMS = Programs()


def main(argv: Sequence[str] | None = None, programs: Programs = PROGRAMS) -> int:
    """Parses, plans and launches; returns the exit code. ``programs`` are the commands of trainer and aggregator."""
    return verbs.run_verb(lambda arguments: launch_grid(arguments, programs), parse_launch_arguments(argv))


def launch_grid(arguments: argparse.Namespace, programs: Programs) -> int:
    """Plans the missing cells and hands them to the executor."""
    grid = select_cells(arguments)
    run_name = arguments.run or grid.run
    if arguments.executor == "kubernetes" and not arguments.plan:
        cluster_plan.require_shared_store(arguments.store)
    empty = arguments.plan and survey.store_is_absent(arguments.store)
    store = None if empty else open_store(arguments.store, create=True)
    plan = survey.survey_store(store, grid, retry_diverged=arguments.retry_diverged) if store else Plan(grid=grid)
    verbs.print_warnings(plan.problems)
    if arguments.plan:
        print(*list_cells(plan), sep="\n")
    if arguments.executor == "local":
        return launch_here(arguments, store, run_name, plan, programs)
    if arguments.plan or store is None:
        print(*cluster_plan.preview_launch(arguments, store, run_name, plan), sep="\n")
        return 0
    from k8s.cluster.executor import launch_on_cluster  # its packages are not needed for a launch on this machine

    return launch_on_cluster(arguments, store, run_name, plan)


def select_cells(arguments: argparse.Namespace) -> Grid:
    """Returns the grid that the flags name, with its seeds and its selection."""
    grid = load_grid(arguments.grid)
    grid = grid.with_seeds(arguments.seeds) if arguments.seeds else grid
    return grid.only(arguments.only) if arguments.only else grid


def launch_here(
    arguments: argparse.Namespace, store: Store | None, run_name: str, plan: Plan, programs: Programs
) -> int:
    """Prints the plan for this machine and, unless only that was asked for, trains."""
    slots = devices.worker_slots(
        devices.visible_gpus(os.environ),
        devices.usable_cores(),
        workers=arguments.workers,
        threads=arguments.threads,
        per_gpu=arguments.cells_per_gpu,
        cells=len(plan.missing),
    )
    print(f"grid {plan.grid.name}: {summarize_plan(plan, max(len(slots), 1))}")
    if arguments.plan or store is None:
        return 0
    provenance = launch_provenance()
    run = freeze_grid(store, run_name, plan.grid, provenance)
    url = keys.run_url(store.url, run_name)
    print(f"run {url}", flush=True)
    env = {**programs.env, "GIT_COMMIT": provenance["git_commit"]}
    programs = dataclasses.replace(programs, env=env, tensorboard=bool(arguments.tensorboard))
    return executor.launch_locally(store, url, dataclasses.replace(plan, grid=run.grid), slots, programs)


if __name__ == "__main__":
    sys.exit(main())
