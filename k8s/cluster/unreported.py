"""Why a run that has ended has no report, and how it is made by hand. Pure."""

from __future__ import annotations

from k8s.cluster import postmortem
from k8s.cluster.states import View
from k8s.manifests import jobs, names


def explain_missing_report(view: View, run_url: str) -> str:
    """Returns what ended the run's latest collecting Job, and the command that reports without it.

    Evictions are not counted against that Job. What counts, over its whole life, is a pod that fails or runs out of memory.
    """
    if view.jobs is None:
        return f"python -m aggregator --run {run_url} makes it"
    collecting = [j for j in view.jobs if jobs.is_part(j, names.COLLECT)]
    advice = f"python -m k8s.collect --run {run_url} makes it, and so does another launch"
    if not collecting:
        return f"no collecting Job is left; {advice}"
    latest = max(collecting, key=jobs.creation_time)
    ending = jobs.true_condition(latest, "Failed") or {}
    reason = ending.get("message") or "it made none"
    return f"the collecting Job ended without it: {reason}{_last_failure(view, jobs.object_name(latest))}; {advice}"


def _last_failure(view: View, job: str) -> str:
    ends = postmortem.failures_of_job(view.pods or (), job)
    return f" (its last pod: {ends[-1].message})" if ends else ""
