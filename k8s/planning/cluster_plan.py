"""The plan of a launch on a cluster, in lines: cells per Job, GPUs, hours and dollars. Needs no cluster and no client."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

from experiment import keys
from experiment.errors import refuse
from experiment.ledger import DONE
from experiment.store import Store
from k8s.manifests import sources
from k8s.manifests.aws_environment import is_of_this_machine
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
    """Returns in lines what a launch would do if the cluster had no Job of the run; ``store``: None if it is not asked."""
    settings = sources.load_settings(arguments, os.environ)
    existing = Existing(prepared=prepared_datasets(store) if store else ())
    needed = find_needed_jobs(run_name, plan.grid, plan.missing, existing)
    return [*describe_launch(run_name, plan, needed, settings), *warn_of_server(settings, os.environ)]


def warn_of_server(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Returns warnings where the launcher finds or trusts the S3 server in a way that pods cannot."""
    warnings = []
    if is_of_this_machine(settings.s3_endpoint):
        advice = "set s3_endpoint to the address at which pods reach it"
        warnings.append(f"the pods' S3 server is {settings.s3_endpoint}, which in a pod is the pod itself; {advice}")
    bundle = environ.get("AWS_CA_BUNDLE")
    if bundle and settings.s3_endpoint.startswith("https:") and "AWS_CA_BUNDLE" not in settings.env:
        advice = "put the certificate into the images, and its path into setting env as AWS_CA_BUNDLE"
        warnings.append(f"the launcher trusts the certificates of {bundle} (AWS_CA_BUNDLE), which pods lack; {advice}")
    return [f"warning: {warning}" for warning in warnings]


def prepared_datasets(store: Store) -> set[str]:
    """Returns the names of the data sets that the store has."""
    return {name for key in store.list(keys.DATASETS) if (name := keys.dataset_of(key))}


def describe_launch(run_name: str, plan: Plan, needed: NeededJobs, settings: Settings) -> list[str]:
    """Returns the plan of a launch in lines."""
    speeds = forecast.measured_speeds(plan.grid, plan.done, plan.speeds)
    table = gpu_types.load_gpu_types(settings.gpu_table)
    cells = plan.grid.cells
    jobs = [
        forecast.forecast_job(a.job, [cells[i] for i in a.indexes], settings, table, speeds) for a in needed.trainers
    ]
    counts = f"{len(cells)} cells, {len(plan.done)} {DONE}, {len(plan.missing)} to train"
    lines = [f"run {run_name}, namespace {settings.namespace}: {counts}"]
    if settings.s3_endpoint:
        lines.append(f"the pods' S3 server: {settings.s3_endpoint}")
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
