"""Turns a run and settings into manifests, from ``templates/*.yaml.j2``: pure functions of values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from experiment import urls
from k8s.manifests import names
from k8s.manifests.egress import proxy_variables
from k8s.manifests.names import NO_WAIT, Manifest, Waits
from k8s.manifests.patch import patch_pods
from k8s.manifests.setting_rules import parse_toleration
from k8s.manifests.settings import Settings
from k8s.manifests.template import fill_document

AWAIT_SECONDS = 3600  # a data set is prepared within it, or its Job has been stopped
# Where pods find further certificates, and the variables by which boto3, requests and OpenSSL do.
CA_FOLDER, CA_FILE = "/etc/collaborative-ensembles/ca", "bundle.crt"
CA_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
# A preparing pod gives up sooner, and is tried again: its reason is seen by then, and no GPU waits meanwhile.
PREPARE_OUTAGE_SECONDS = 240
WAIT_ROOM = {"cpu": "100m", "memory": "256Mi"}


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What the manifests of one launch have in common.

    Attributes:
        store, run: the run is at ``store``/runs/``run``.
        grid: the grid's name.
        git_commit: of the launcher; empty if unknown.
        pod_patch: merged into the pods of every Job; see ``k8s.manifests.patch``.
        parallelism: of trainer Jobs that have one of their own, by the Job's name.
        prices: dollars per hour of one pod of a trainer Job, by the Job's name.
    """

    store: str
    run: str
    grid: str
    git_commit: str
    settings: Settings
    pod_patch: Mapping[str, Any] = field(default_factory=dict)
    parallelism: Mapping[str, int] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The run's URL."""
        return urls.run_url(self.store, self.run)


def trainer_manifest(launch: Launch, dataset: str, job: str, completions: int, waits: Waits = NO_WAIT) -> Manifest:
    """Returns the Indexed Job that trains ``completions`` cells of a data set, or groups of cells, one pod each.

    Args:
        waits: the annotation that names the ``RUN/JOB`` for which it waits, suspended (``jobs.waits_of``); empty: it starts.
    """
    s = launch.settings.of(dataset)
    gpus = {s.gpu_resource: str(s.gpus)} if s.gpus else {}
    selector = _node_selector(s, s.node_selector) | ({s.capacity_label: s.capacity} if s.capacity else {})
    values = _common(launch, s, names.TRAINER, job, {names.DATASET: dataset}) | {
        "completions": completions,
        "parallelism": min(launch.parallelism.get(job) or s.parallelism or completions, completions, 100_000),
        # A group has the retries of its cells: none is given up for another's failures.
        "retries": s.retries * s.cells_per_pod,
        "suspend": bool(waits),
        "max_failed": None if s.max_failed < 0 else s.max_failed,
        "deadline_seconds": round(s.deadline_hours * 3600),
        "cell_seconds": round(s.cell_hours * 3600) * math.ceil(s.cells_per_pod / s.workers_per_gpu),
        "account": s.trainer_account,
        "image": s.image,
        "runtime_class": s.runtime_class,
        "node_selector": selector,
        "tolerations": [parse_toleration(t) for t in s.tolerations],
        "instance_types": list(s.instance_types),
        "dataset": dataset,
        "tensorboard": s.tensorboard,
        "workers": str(s.workers_per_gpu) if s.cells_per_pod > 1 else "",
        "await_seconds": str(AWAIT_SECONDS),
        "wait_requests": WAIT_ROOM,
        "wait_limits": {"memory": WAIT_ROOM["memory"]},
        # Kueue admits only what the queue names, and few name disk.
        "requests": {"cpu": s.cpu, "memory": s.memory, **({} if s.queue else _disk(s)), **gpus},
        "limits": {"memory": s.memory, **gpus},
    }
    values["job_labels"] = values["job_labels"] | _queue_labels(s, waits)
    own = _job_annotations(launch, s, job, waits, values["parallelism"])
    values["job_annotations"] = values["job_annotations"] | own
    if s.do_not_disrupt:
        values["annotations"] = values["annotations"] | {names.NO_DISRUPTION: s.do_not_disrupt}
    return patch_pods(fill_document("trainer", values), launch.pod_patch)


def _queue_labels(s: Settings, waits: Waits) -> dict[str, str]:
    """Returns what brings a Job into a queue, which may then start it at any time: not yet where it waits."""
    queue = {names.QUEUE: s.queue} if s.queue and not waits else {}
    return queue | ({names.QUEUE_PRIORITY: s.queue_priority} if s.queue and s.queue_priority else {})


def _job_annotations(launch: Launch, s: Settings, job: str, waits: Waits, parallelism: int) -> dict[str, str]:
    least = min(s.queue_minimum, parallelism - 1)  # Kueue refuses a minimum that leaves nothing to reduce
    minimum = {names.QUEUE_MINIMUM: str(least)} if s.queue and least else {}
    costs = {names.PRICE: launch.prices.get(job), names.CEILING: s.max_dollars or None}
    told = {name: f"{dollars:.10g}" for name, dollars in costs.items() if dollars is not None}
    return told | minimum | dict(waits) | ({names.WAITS_QUEUE: s.queue} if waits and s.queue else {})


def prepare_manifest(launch: Launch, dataset: str, job: str) -> Manifest:
    """Returns the Job that puts one data set into the store."""
    s = launch.settings
    room = {"cpu": s.prepare_cpu, "memory": s.prepare_memory, **_disk(s)}
    values = _common(launch, s, names.PREPARE, job, {names.DATASET: dataset}) | {
        "deadline_seconds": AWAIT_SECONDS,
        "account": s.trainer_account,
        "image": s.image,
        "dataset": dataset,
        "requests": room,
        "limits": {"memory": s.prepare_memory},
    }
    return patch_pods(fill_document("prepare", values), launch.pod_patch)


def collect_manifest(launch: Launch, job: str) -> Manifest:
    """Returns the Job that reports on the run while it trains and when it has ended."""
    s = launch.settings
    values = _common(launch, s, names.COLLECT, job, {}) | {
        "account": s.collector_account,
        "image": s.aggregator_image,
        **{name: str(getattr(s, name)) for name in ("refresh_seconds", "hopeless_minutes", "notify")},
        "requests": {"cpu": s.collect_cpu, "memory": s.collect_memory, **_disk(s)},
        "limits": {"memory": s.collect_memory},
    }
    return patch_pods(fill_document("collect", values), launch.pod_patch)


def _disk(s: Settings) -> dict[str, str]:
    """The disk that a pod asks for: a node that runs short of it evicts first whoever uses more than it has asked for."""
    return {"ephemeral-storage": s.scratch}


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
        "annotations": annotations,
        "job_annotations": annotations,
        "pull_secrets": [{"name": n} for n in s.pull_secrets],
        "scratch": s.scratch,
        "ca_bundle": s.ca_bundle.partition("/")[::2] if s.ca_bundle else (),
        "ca_folder": CA_FOLDER,
        "ca_file": CA_FILE,
        "priority_class": s.priority_class,
        "node_selector": _node_selector(s, s.cpu_node_selector),
        "tolerations": [parse_toleration(t) for t in s.cpu_tolerations],
        "grace_seconds": s.grace_seconds,
        "ttl_seconds": round(s.ttl_hours * 3600),
        "env": list(_environment(launch, s, part)),
    }


def _environment(launch: Launch, s: Settings, part: str) -> Iterator[Manifest]:
    image = s.aggregator_image if part == names.COLLECT else s.image
    outage = min(s.outage_seconds, PREPARE_OUTAGE_SECONDS) if part == names.PREPARE else s.outage_seconds
    plain = {
        "IMAGE": image,
        "GIT_COMMIT": launch.git_commit,
        "HOME": "/tmp",  # noqa: S108 - the pod's own volume
        "CHECKPOINT_SECONDS": str(s.checkpoint_seconds),
        "OUTAGE_SECONDS": str(outage),
    }
    plain |= {"AWS_ENDPOINT_URL_S3": s.s3_endpoint} if s.s3_endpoint else {}
    plain |= {"AWS_REGION": s.s3_region} if s.s3_region else {}
    plain |= proxy_variables(s.proxy, s.no_proxy)
    plain |= dict.fromkeys(CA_VARIABLES, f"{CA_FOLDER}/{CA_FILE}") if s.ca_bundle else {}
    yield from ({"name": k, "value": v} for k, v in {**plain, **s.env}.items())
    for name, place in s.env_secrets.items():
        secret, _, key = place.partition("/")
        yield {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _node_selector(s: Settings, own: Mapping[str, str]) -> dict[str, str]:
    return ({"kubernetes.io/arch": s.arch} if s.arch else {}) | dict(own)
