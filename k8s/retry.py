"""``python -m k8s.retry --run RUN``: trains the failed cells of a run again, and no others."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from experiment.ledger import FAILED
from experiment.program import CommandLine, run_program
from k8s import verbs
from k8s.arguments import add_yes_flag
from k8s.cluster import consent, executor, submit
from k8s.cluster.connect import connect_as_set
from k8s.cluster.observe import find_existing, observe_run
from k8s.cluster.parallelism import adjust_ceiling, adjust_parallelism
from k8s.cluster.states import cell_states
from k8s.manifests import checks, sources
from k8s.planning import ceilings, expectation
from k8s.planning.cluster_plan import forecast_launch
from k8s.planning.freeze import git_commit
from k8s.planning.jobs_needed import find_needed_jobs
from k8s.planning.plan import Plan
from k8s.planning.survey import read_speeds


def main(argv: Sequence[str] | None = None) -> int:
    """Creates a Job for the failed cells; returns the exit code."""
    parser = CommandLine(
        prog="python -m k8s.retry", description="Trains the failed cells of a run again.", allow_abbrev=False
    )
    verbs.add_run_flags(parser)
    add_yes_flag(parser)
    sources.add_setting_flags(parser)
    return verbs.run_verb(retry_failed_cells, parser.parse_args(argv))


def retry_failed_cells(arguments: argparse.Namespace) -> int:
    """Launches the failed cells with the settings given now, for instance with more memory."""
    store, run, settings = verbs.open_named_run(arguments)
    with connect_as_set(settings) as kube:
        view = observe_run(store, run, kube)
        verbs.print_warnings(view.problems)
        failed = [c.index for c in cell_states(view) if c.state == FAILED]
        for index in failed:
            print(f"again: {run.grid.cells[index].id}", flush=True)
        if not failed:
            print(f"no cell of run {run.name} has failed; python -m k8s.launch trains what is missing")
            return 0
        existing = find_existing(kube, store, run.name)
        needed = find_needed_jobs(run.name, run.grid, failed, existing, again=True, cells_per_pod=settings.cells_of_pod)
        for index, job in needed.active.items():
            print(f"not yet: {run.grid.cells[index].id}: its pod of {job} still trains other cells", flush=True)
        plan = Plan(grid=run.grid, speeds=tuple(read_speeds(store)[0]))
        expected = forecast_launch(plan, needed, existing, settings)
        ceilings.check_dollars(expected.dollars, settings, expectation.read_dollars(store, run.name, settings))
        launch = executor.make_launch(store.url, run.name, run.grid, git_commit(), settings, expected)
        manifests = executor.launch_manifests(launch, run.grid, needed)
        checks.check_manifests(manifests)
        submit.check_on_server(kube, manifests, executor.print_lines)
        consent.ask_for_consent(expected.dollars, settings, yes=arguments.yes)
        if expected.shares:
            executor.print_lines(*adjust_parallelism(kube, existing, settings, expected.shares))
        executor.print_lines(*adjust_ceiling(kube, existing, settings))
        expectation.record_expectations(store, run.name, expected.told)
        executor.create_jobs(kube, store, needed, manifests)
    return 0


if __name__ == "__main__":
    run_program(main)
