"""Tells the end of a run: one JSON POST to a URL, and an Event on the collecting Job. Neither can fail the run."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from experiment import keys, records, urls
from experiment.errors import ExperimentError, describe_error
from experiment.run import Run
from experiment.store import Store
from k8s.cluster.kube import MANAGER, Kube
from k8s.cluster.refusals import AlreadyExists
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest
from k8s.wording import count_done

SECONDS = 10.0  # for which the receiver may take its time
LONGEST = 1024  # characters of an Event's message
REASON = "RunEnded"


def make_notice(store: Store, run: Run, done: int, dollars: float = 0.0) -> dict[str, Any]:
    """Returns what is told of a run that has ended.

    Args:
        done: the number of its cells that have a result.
        dollars: what its pods have taken; 0 where nobody measured it.
    """
    cells, report = len(run.grid.cells), f"{store.url}/{keys.report(run.name)}"
    cost = f", ${dollars:,.2f}" if dollars else ""
    return {
        "run": run.name,
        "url": urls.run_url(store.url, run.name),
        "state": "done" if done == cells else "incomplete",
        "cells": cells,
        "done": done,
        "dollars": round(dollars, 2),
        "report": report,
        "time": records.utc_now(),
        "text": f"run {run.name} has ended: {count_done(done, cells)}{cost}; report: {report}",  # what chats show
    }


def post_notice(url: str, notice: dict[str, Any]) -> str:
    """Sends a notice, once. Returns a line on it, which has the receiver's name only: the rest of its URL may be a secret."""
    host = urlsplit(url).hostname
    headers = {"Content-Type": "application/json", "User-Agent": MANAGER}
    request = urllib.request.Request(url, json.dumps(notice).encode(), headers, method="POST")  # noqa: S310 - a setting's pattern
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return f"told {host} that the run has ended ({answer.status})"
    except (OSError, ValueError) as error:  # of HTTP and of TLS too
        why = " ".join(str(error).replace(url, "it").split())[:200]
        return f"could not tell {host} that the run has ended: {why}; check --notify, and that pods may reach it"


def end_event(job: Manifest, namespace: str, notice: dict[str, Any]) -> Manifest:
    """Returns the Event of a run's end on its collecting Job: one, however often its pod starts again."""
    name, now = jobs.object_name(job), notice["time"].replace("+00:00", "Z")
    about = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job["metadata"].get("uid", "")}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{name}.run-ended",
            "namespace": namespace,
            "labels": {"app.kubernetes.io/name": names.APP, names.RUN: notice["run"]},
        },
        "involvedObject": {**about, "namespace": namespace},
        "type": "Normal" if notice["state"] == "done" else "Warning",
        "reason": REASON,
        "message": notice["text"][:LONGEST],
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "source": {"component": MANAGER},
    }


def create_event(kube: Kube, own: str, notice: dict[str, Any]) -> list[str]:
    """Puts the Event on the collecting Job of this name; returns a line where that was not possible."""
    try:
        kube.create(end_event(kube.get("Job", own), kube.namespace, notice))
    except AlreadyExists:
        pass
    except ExperimentError as error:
        advice = f"python -m k8s.setup --namespace {kube.namespace} --apply gives the right to create Events"
        return [f"the run's end could not be made an Event: {describe_error(error)}; {advice}"]
    return []
