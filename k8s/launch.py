"""``python -m k8s.launch --grid NAME``: trains the cells of a grid that have no result yet, then reports on all of them."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence

from experiment import keys
from experiment.errors import ExperimentError, Interrupted, describe_error
from experiment.grid import load_grid
from experiment.store import Store, open_store
from k8s.arguments import parse
from k8s.local import devices, executor
from k8s.local.programs import Programs
from k8s.planning import survey
from k8s.planning.freeze import freeze, provenance
from k8s.planning.plan import Plan, listing, summary

PROGRAMS = Programs()


def main(argv: Sequence[str] | None = None, programs: Programs = PROGRAMS) -> int:
    """Parses, plans, launches; returns the exit code. ``programs`` are the commands of trainer and aggregator."""
    arguments = parse(argv)
    try:
        return launch(arguments, programs)
    except ExperimentError as error:
        print(f"error: {describe_error(error)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return Interrupted.exit_code


def launch(arguments: argparse.Namespace, programs: Programs) -> int:
    """Works out what is missing and hands it to the executor."""
    grid = load_grid(arguments.grid)
    grid = grid.with_seeds(arguments.seeds) if arguments.seeds else grid
    grid = grid.only(arguments.only) if arguments.only else grid
    run = arguments.run or grid.run
    if arguments.executor == "kubernetes" and not arguments.plan:
        from k8s.planning import outlook  # as below: a launch on this machine does without the cluster's packages

        outlook.within_reach(arguments.store)
    empty = arguments.plan and survey.absent(arguments.store)
    store = None if empty else open_store(arguments.store, create=True)
    plan = survey.look(store, grid, retry_diverged=arguments.retry_diverged) if store else Plan(grid=grid)
    for problem in plan.problems:
        print(f"warning: {problem.reason}", file=sys.stderr)
    if arguments.plan:
        print(*listing(plan), sep="\n")
    if arguments.executor == "kubernetes":
        return on_cluster(arguments, store, run, plan)
    slots = devices.slots(
        devices.gpus(os.environ),
        devices.cores(),
        workers=arguments.workers,
        threads=arguments.threads,
        per_gpu=arguments.cells_per_gpu,
        cells=len(plan.missing),
    )
    print(f"grid {grid.name}: {summary(plan, max(len(slots), 1))}")
    if arguments.plan or store is None:
        return 0
    made = provenance()
    frozen = freeze(store, run, grid, made)
    print(f"run {keys.run_url(store.url, run)}", flush=True)
    plan = dataclasses.replace(plan, grid=frozen.grid)
    programs = dataclasses.replace(
        programs, env={**programs.env, "GIT_COMMIT": made["git_commit"]}, tensorboard=bool(arguments.tensorboard)
    )
    return executor.run(store, keys.run_url(store.url, run), plan, slots, programs)


def on_cluster(arguments: argparse.Namespace, store: Store | None, run: str, plan: Plan) -> int:
    """Previews the launch, or makes it on the cluster of the settings."""
    from k8s.planning import outlook

    if arguments.plan or store is None:
        print(*outlook.preview(arguments, store, run, plan), sep="\n")
        return 0
    from k8s.cluster import executor

    return executor.launch(arguments, store, run, plan)


if __name__ == "__main__":
    sys.exit(main())
