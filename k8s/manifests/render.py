"""Turns a run and settings into manifests, from ``templates/*.yaml.j2``: pure functions of values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiment import keys
from experiment.errors import refuse
from k8s.manifests import names
from k8s.manifests.egress import proxy_variables
from k8s.manifests.names import Manifest
from k8s.manifests.setting_rules import TOLERATION
from k8s.manifests.settings import Settings
from k8s.manifests.template import fill_document

AWAIT_SECONDS = 3600  # a data set is prepared within it, or its Job has been stopped
WAIT_ROOM = {"cpu": "100m", "memory": "256Mi"}


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What the manifests of one launch have in common.

    Attributes:
        store, run: the run is at ``store``/runs/``run``.
        grid: the grid's name.
        git_commit: of the launcher; empty if unknown.
    """

    store: str
    run: str
    grid: str
    git_commit: str
    settings: Settings

    @property
    def url(self) -> str:
        """The run's URL."""
        return keys.run_url(self.store, self.run)


def trainer_manifest(launch: Launch, dataset: str, job: str, completions: int) -> Manifest:
    """Returns the Indexed Job that trains ``completions`` cells of a data set, one pod each."""
    s = launch.settings.of(dataset)
    gpus = {s.gpu_resource: str(s.gpus)} if s.gpus else {}
    selector = dict(s.node_selector) | ({s.capacity_label: s.capacity} if s.capacity else {})
    queue = {names.QUEUE: s.queue} if s.queue else {}
    queue |= {names.QUEUE_PRIORITY: s.queue_priority} if s.queue and s.queue_priority else {}
    minimum = {names.QUEUE_MINIMUM: str(s.queue_minimum)} if s.queue and s.queue_minimum else {}
    own = {names.DATASET: dataset}
    values = _common(launch, s, names.TRAINER, job, own) | {
        "completions": completions,
        "parallelism": min(s.parallelism or completions, completions, 100_000),
        "retries": s.retries,
        "max_failed": None if s.max_failed < 0 else s.max_failed,
        "deadline_seconds": round(s.deadline_hours * 3600),
        "cell_seconds": round(s.cell_hours * 3600),
        "account": s.trainer_account,
        "image": s.image,
        "priority_class": s.priority_class,
        "runtime_class": s.runtime_class,
        "node_selector": selector,
        "tolerations": [_toleration(t) for t in s.tolerations],
        "instance_types": list(s.instance_types),
        "dataset": dataset,
        "tensorboard": s.tensorboard,
        "await_seconds": str(AWAIT_SECONDS),
        "wait_requests": WAIT_ROOM,
        "wait_limits": {"memory": WAIT_ROOM["memory"]},
        "requests": {"cpu": s.cpu, "memory": s.memory, **gpus},
        "limits": {"memory": s.memory, **gpus},
    }
    values["job_labels"] = values["job_labels"] | queue
    values["job_annotations"] = values["job_annotations"] | minimum
    return fill_document("trainer", values)


def prepare_manifest(launch: Launch, dataset: str, job: str) -> Manifest:
    """Returns the Job that puts one data set into the store."""
    s = launch.settings
    room = {"cpu": s.prepare_cpu, "memory": s.prepare_memory}
    values = _common(launch, s, names.PREPARE, job, {names.DATASET: dataset}) | {
        "deadline_seconds": AWAIT_SECONDS,
        "account": s.trainer_account,
        "image": s.image,
        "dataset": dataset,
        "requests": room,
        "limits": {"memory": s.prepare_memory},
    }
    return fill_document("prepare", values)


def collect_manifest(launch: Launch, job: str) -> Manifest:
    """Returns the Job that reports on the run while it trains and when it has ended."""
    s = launch.settings
    values = _common(launch, s, names.COLLECT, job, {}) | {
        "account": s.collector_account,
        "image": s.aggregator_image,
        "refresh_seconds": str(s.refresh_seconds),
        "requests": {"cpu": s.collect_cpu, "memory": s.collect_memory},
        "limits": {"memory": s.collect_memory},
    }
    return fill_document("collect", values)


def _common(launch: Launch, s: Settings, part: str, job: str, own: Mapping[str, str]) -> dict[str, Any]:
    labels = {
        **s.labels,
        **names.run_labels(launch.run, part),
        names.GRID: names.label_value(launch.grid),
        names.COMMIT: launch.git_commit[:63],
        **own,
    }
    annotations = {**s.annotations, names.RUN_URL: launch.url}
    return {
        "job": job,
        "namespace": s.namespace,
        "store": launch.store,
        "run_url": launch.url,
        "labels": labels,
        "job_labels": labels,
        "annotations": {**annotations, names.NO_DISRUPTION: "true"},
        "job_annotations": annotations,
        "pull_secrets": [{"name": n} for n in s.pull_secrets],
        "scratch": s.scratch,
        "grace_seconds": s.grace_seconds,
        "ttl_seconds": round(s.ttl_hours * 3600),
        "env": list(_environment(launch, s, part)),
    }


def _environment(launch: Launch, s: Settings, part: str) -> Iterator[Manifest]:
    image = s.aggregator_image if part == names.COLLECT else s.image
    plain = {
        "IMAGE": image,
        "GIT_COMMIT": launch.git_commit,
        "HOME": "/tmp",  # noqa: S108 - the pod's own volume
        "CHECKPOINT_SECONDS": str(s.checkpoint_seconds),
        "OUTAGE_SECONDS": str(s.outage_seconds),
    }
    plain |= {"AWS_ENDPOINT_URL_S3": s.s3_endpoint} if s.s3_endpoint else {}
    plain |= {"AWS_REGION": s.s3_region} if s.s3_region else {}
    plain |= proxy_variables(s.proxy, s.no_proxy)
    yield from ({"name": k, "value": v} for k, v in {**plain, **s.env}.items())
    for name, place in s.env_secrets.items():
        secret, _, key = place.partition("/")
        yield {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _toleration(text: str) -> Manifest:
    match = TOLERATION.fullmatch(text)
    if match is None:
        raise refuse("a toleration", text, "KEY[=VALUE][:EFFECT]", "correct it")
    value, effect = match["value"], match["effect"]
    kind: Manifest = {"operator": "Equal", "value": value} if value else {"operator": "Exists"}
    return {"key": match["key"], **kind, **({"effect": effect} if effect else {})}
