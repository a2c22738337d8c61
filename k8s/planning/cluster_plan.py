"""The plan of a launch on a cluster, in lines: cells per Job, GPUs, hours and dollars. Needs no cluster and no client."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiment.datasets import DATASETS
from experiment.errors import refuse
from experiment.ledger import DONE
from experiment.spending import Forecast
from k8s.manifests import names, sources
from k8s.manifests.aws_environment import is_of_this_machine
from k8s.manifests.settings import Settings
from k8s.planning import ceilings, expectation, forecast, forecast_table, gpu_types
from k8s.planning.forecast import JobForecast
from k8s.planning.forecast_table import Offer
from k8s.planning.gpu_types import SHARED
from k8s.planning.jobs_needed import Existing, NeededJobs, find_needed_jobs
from k8s.planning.plan import Plan, needed_datasets
from k8s.planning.work import job_work


@dataclass(frozen=True, kw_only=True)
class LaunchForecast:
    """What a launch will take.

    Attributes:
        shares: parallelism of the run's trainer Jobs under ``max_gpus``, by name; empty without that ceiling.
        jobs: of the Jobs that are to be created and start at once.
        offers: of the same work on each type of the table.
        dollars: of all these Jobs, on nodes of the capacity that the settings name.
        prices: dollars per hour of one pod of each new trainer Job, by the Job's name.
        told: the forecast of each of ``jobs`` as the store keeps it.
    """

    shares: Mapping[str, int]
    jobs: tuple[JobForecast, ...]
    offers: tuple[Offer, ...]
    dollars: float
    prices: Mapping[str, float]
    told: tuple[Forecast, ...]


def require_shared_store(url: str) -> None:
    """Refuses a store that pods cannot reach.

    Raises:
        InvalidInput: the URL is not an ``s3://`` one.
    """
    if not url.startswith("s3://"):
        advice = "give --store, or train here with --executor local"
        raise refuse("the store", url, "s3://BUCKET/PREFIX, which pods can reach", advice)


def preview_launch(arguments: argparse.Namespace, run_name: str, plan: Plan) -> list[str]:
    """Returns in lines what a launch would do if the cluster had no Job of the run."""
    settings = sources.load_settings(arguments, os.environ)
    existing = Existing()
    needed = find_needed_jobs(run_name, plan.grid, plan.missing, existing, cells_per_pod=settings.cells_of_pod)
    expected = forecast_launch(plan, needed, existing, settings)
    limits = ceilings.describe_limits(expected.dollars, settings)
    lines = describe_launch(run_name, plan, needed, settings, expected)
    return [*lines, *limits, *warn_of_server(settings, os.environ)]


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


def warn_of_shared_gpus(settings: Settings, datasets: Sequence[str]) -> list[str]:
    """Returns warnings where cells of these data sets use shared GPUs, and nothing says which part of one each cell has."""
    own = [settings.of(d) for d in datasets]
    unknown = sorted({s.gpu_resource for s in own if s.gpus and not s.gpu_share and s.gpu_resource.endswith(SHARED)})
    return [f"warning: {name} is priced as a whole GPU; say with gpu_share which part of one it is" for name in unknown]


def warn_of_unknown_tables(settings: Settings, datasets: Sequence[str]) -> list[str]:
    """Returns warnings of tables ``[dataset.NAME]`` of settings for data sets that are neither known nor among these."""
    unknown = sorted(set(settings.dataset) - set(DATASETS) - set(datasets))
    return [
        f"warning: [dataset.{name}] of the settings is of no data set of this grid, nor of a known one"
        for name in unknown
    ]


def describe_waiting(counts: Mapping[str, int]) -> list[str]:
    """Returns in lines how many cells other runs have, from the counts by ``RUN/JOB``."""
    return [f"{n} cells are in the hands of {names.describe_holder(who)}: waited for" for who, n in counts.items()]


def describe_groups(needed: NeededJobs) -> list[str]:
    """Returns in lines how many pods train the cells of Jobs whose pods train several."""
    grouped = [a for a in needed.trainers if a.sizes]
    return [f"{a.job}: {len(a.indexes)} cells in {len(a.groups)} pods, up to {max(a.sizes)} in each" for a in grouped]


def forecast_launch(plan: Plan, needed: NeededJobs, existing: Existing, settings: Settings) -> LaunchForecast:
    """Returns what the Jobs to create will take. A Job that waits for another run's costs nothing while it waits.

    Raises:
        InvalidInput: the table lacks the type of GPU that the settings name, or ``max_gpus`` is less than one pod of each Job needs.
    """
    speeds = forecast.measured_speeds(plan.grid, plan.done, plan.speeds)
    table = gpu_types.load_gpu_types(settings.gpu_table)
    shares = ceilings.find_shares(settings, plan.grid, needed, existing)
    everything = []
    for a in needed.trainers:
        groups, after = [[plan.grid.cells[i] for i in g] for g in a.groups], needed.taught.get(a.job, "")
        everything.append(job_work(a.job, groups, settings, table, shares.get(a.job, 0), after.rpartition("/")[2]))
    works = [w for w in everything if w.job not in needed.waits]
    jobs = [forecast.forecast_job(w, table, speeds) for w in works]
    offers = forecast_table.make_offers(works, table, speeds, settings.capacity) if works else []
    dollars = forecast_table.choose_dollars(forecast_table.add_up(jobs), settings.capacity)
    capacity = settings.capacity
    return LaunchForecast(
        shares=shares,
        jobs=tuple(jobs),
        offers=tuple(offers),
        dollars=dollars,
        prices={w.job: expectation.price_pod(w.device, table[w.device.kind], capacity) for w in everything},
        told=tuple(expectation.expect_job(w, j, table, capacity) for w, j in zip(works, jobs, strict=True)),
    )


def describe_launch(
    run_name: str, plan: Plan, needed: NeededJobs, settings: Settings, expected: LaunchForecast
) -> list[str]:
    """Returns the plan of a launch in lines."""
    counts = f"{len(plan.grid.cells)} cells, {len(plan.done)} {DONE}, {len(plan.missing)} to train"
    lines = [f"run {run_name}, namespace {settings.namespace}: {counts}"]
    if settings.s3_endpoint:
        lines.append(f"the pods' S3 server: {settings.s3_endpoint}")
    if plan.set_aside:
        aside = "diverged, or learn from one that did, and are set aside"
        lines.append(f"{len(plan.set_aside)} cells {aside} (--retry-diverged trains them again)")
    if needed.active:
        lines.append(f"{len(needed.active)} cells belong to {len(set(needed.active.values()))} active Jobs")
    lines += describe_waiting({needed.waits[a.job]: len(a.indexes) for a in needed.trainers if a.job in needed.waits})
    if needed.given_up:
        lines.append(
            f"{len(needed.given_up)} cells failed for good; python -m k8s.retry --run {run_name} trains them again"
        )
    if needed.prepare:
        lines.append(f"first, in a pod without a GPU: prepared or verified {', '.join(needed.prepare.values())}")
    lines += describe_groups(needed)
    lines += ceilings.describe_shares(settings, expected.shares)
    lines += warn_of_unknown_tables(settings, needed_datasets(plan.grid.cells))
    lines += warn_of_shared_gpus(settings, needed_datasets([plan.grid.cells[i] for i in plan.missing]))
    offers = forecast_table.describe_offers(expected.offers, settings.capacity)
    return [*lines, *forecast_table.format_forecast(expected.jobs), *offers]
