"""``python -m k8s.retry --run RUN``: trains the failed cells of a run again, and no others."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from experiment.ledger import FAILED
from experiment.program import CommandLine, run_program
from k8s import verbs
from k8s.cluster import executor, submit
from k8s.cluster.connect import connect_cluster
from k8s.cluster.observe import find_existing, observe_run
from k8s.cluster.states import cell_states
from k8s.manifests import checks, render, sources
from k8s.planning.freeze import git_commit
from k8s.planning.jobs_needed import find_needed_jobs


def main(argv: Sequence[str] | None = None) -> int:
    """Creates a Job for the failed cells; returns the exit code."""
    parser = CommandLine(
        prog="python -m k8s.retry", description="Trains the failed cells of a run again.", allow_abbrev=False
    )
    verbs.add_run_flags(parser)
    sources.add_setting_flags(parser)
    return verbs.run_verb(retry_failed_cells, parser.parse_args(argv))


def retry_failed_cells(arguments: argparse.Namespace) -> int:
    """Launches the failed cells with the settings given now, for instance with more memory."""
    store, run, settings = verbs.open_named_run(arguments)
    with connect_cluster(settings.context, settings.namespace) as kube:
        view = observe_run(store, run, kube)
        verbs.print_warnings(view.problems)
        failed = [c.index for c in cell_states(view) if c.state == FAILED]
        for index in failed:
            print(f"again: {run.grid.cells[index].id}", flush=True)
        if not failed:
            print(f"no cell of run {run.name} has failed; python -m k8s.launch trains what is missing")
            return 0
        existing = find_existing(kube, store, run.name)
        needed = find_needed_jobs(run.name, run.grid, failed, existing, again=True)
        launch = render.Launch(
            store=store.url, run=run.name, grid=run.grid.name, git_commit=git_commit(), settings=settings
        )
        manifests = executor.launch_manifests(launch, run.grid, needed)
        checks.check_manifests(manifests)
        submit.check_on_server(kube, manifests)
        executor.create_jobs(kube, store, needed, manifests)
    return 0


if __name__ == "__main__":
    run_program(main)
