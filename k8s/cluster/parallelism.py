"""Changes what the unfinished Jobs of a run may take: how many cells they train at the same time, and how many dollars."""

from __future__ import annotations

from collections.abc import Mapping

from k8s.cluster.kube import Kube
from k8s.manifests import jobs, names
from k8s.manifests.settings import Settings
from k8s.planning.jobs_needed import Existing


def adjust_parallelism(kube: Kube, existing: Existing, settings: Settings, shares: Mapping[str, int]) -> list[str]:
    """Gives the run's unfinished trainer Jobs their share or the parallelism of the settings, where no Kueue queue decides it.

    Args:
        shares: parallelism under ``max_gpus``, by the Job's name.

    Returns:
        what was changed, one line each.
    """
    lines = []
    for job in jobs.unfinished_jobs(existing.jobs, names.TRAINER):
        name, spec = jobs.object_name(job), job["spec"]
        if jobs.label_of(job, names.QUEUE):
            continue
        own = settings.of(jobs.label_of(job, names.DATASET)).parallelism
        wanted = min(shares.get(name) or own or spec["completions"], spec["completions"])
        if wanted != spec["parallelism"]:
            kube.patch("Job", name, {"spec": {"parallelism": wanted}})
            lines.append(f"parallelism of {name}: {spec['parallelism']} -> {wanted}")
    return lines


def adjust_ceiling(kube: Kube, existing: Existing, settings: Settings) -> list[str]:
    """Gives the run's unfinished trainer Jobs the ``max_dollars`` of the settings, or none; returns what was changed, a line each."""
    lines = []
    for job in jobs.unfinished_jobs(existing.jobs, names.TRAINER):
        name, now = jobs.object_name(job), jobs.number_in(job, names.CEILING)
        if now != settings.max_dollars:
            wanted = f"{settings.max_dollars:.10g}" if settings.max_dollars else None
            kube.patch("Job", name, {"metadata": {"annotations": {names.CEILING: wanted}}})
            lines.append(f"max_dollars of {name}: {now:g} -> {settings.max_dollars:g}")
    return lines
