"""Settings: how this cluster runs Jobs. ``setting_rules`` checks them; ``sources`` reads them from file, environment and flags."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiment import own_data
from experiment.datasets import DATASETS
from experiment.errors import refuse
from k8s.manifests import setting_rules

PER_DATASET = (
    *("cpu", "memory", "scratch", "gpus", "gpu_resource", "gpu_type", "gpu_share", "parallelism", "retries"),
    *("cells_per_pod", "workers_per_gpu"),
    *("max_failed", "deadline_hours", "cell_hours", "instance_types", "node_selector", "tolerations", "priority_class"),
)


def _is(default: Any, help: str) -> Any:  # noqa: A002 - the word that argparse uses
    made = {"default_factory": dict} if default == {} else {"default": default}
    return field(**made, metadata={"help": help})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One field per setting; the help of its flag explains it. Raises InvalidInput on construction."""

    context: str = _is("", "context of the kubeconfig (its current context)")
    namespace: str = _is("ensembles", "namespace of the Jobs and of all that k8s.setup makes")
    image: str = _is("", "trainer image, by digest: REPOSITORY@sha256:...")
    aggregator_image: str = _is("", "image of the collecting Job, by digest")
    allow_tag: bool = _is(False, "accept images by tag, which may come to mean another image")
    pull_secrets: tuple[str, ...] = _is((), "Secrets with credentials for the image registry")
    parallelism: int = _is(
        0, "cells of one Job that are trained at the same time; 0: all; another launch may change it"
    )
    cells_per_pod: int = _is(1, "cells that one pod trains, of one shape: warm workers start and compile once for all")
    workers_per_gpu: int = _is(
        1, "cells of a pod that are trained at the same time, each in a part of the GPU's memory"
    )
    max_gpus: int = _is(
        0, "GPUs of the whole run, which its trainer Jobs share in proportion to their cells; 0: no ceiling"
    )
    max_dollars: float = _is(0.0, "dollars above whose forecast a launch is refused; 0: no ceiling")
    ask_above: float = _is(20.0, "dollars above whose forecast a launch asks first, or needs --yes")
    gpus: int = _is(1, "GPUs of a cell; 0: none")
    gpu_resource: str = _is(
        "nvidia.com/gpu", "resource name of a GPU, a shared GPU or a slice, such as nvidia.com/mig-1g.10gb"
    )
    gpu_type: str = _is("t4", "type of GPU for forecasts: a row of the table of GPU types")
    gpu_share: float = _is(
        0.0, "part of a GPU that one of gpu_resource is, for forecasts; 0: by the name of a MIG slice, else a whole one"
    )
    gpu_table: str = _is("", "a TOML file whose rows add to that table or replace its rows")
    cpu: str = _is("3", "CPUs of a cell")
    memory: str = _is("12Gi", "memory of a cell")
    scratch: str = _is("8Gi", "size of a cell's /tmp")
    prepare_cpu: str = _is("1", "CPUs of a Job that prepares a data set")
    prepare_memory: str = _is("6Gi", "memory of a Job that prepares a data set")
    collect_cpu: str = _is("500m", "CPUs of the collecting Job")
    collect_memory: str = _is("2Gi", "memory of the collecting Job")
    capacity: str = _is("", "capacity type of the nodes: spot, on-demand, or empty for either")
    capacity_label: str = _is("karpenter.sh/capacity-type", "node label that holds the capacity type")
    instance_types: tuple[str, ...] = _is((), "instance types that a cell may run on")
    node_selector: Mapping[str, str] = _is({}, "labels that a node must have")
    tolerations: tuple[str, ...] = _is((), "taints that a cell tolerates: KEY[=VALUE][:EFFECT]")
    cpu_node_selector: Mapping[str, str] = _is({}, "labels of the nodes of preparing and collecting pods")
    cpu_tolerations: tuple[str, ...] = _is((), "taints that preparing and collecting pods tolerate")
    arch: str = _is("amd64", "processor architecture of the images; empty: any node")
    do_not_disrupt: str = _is(
        "", "true, or a duration such as 2h: Karpenter disrupts no trainer pod, and warns none of a spot interruption"
    )
    priority_class: str = _is("", "PriorityClass of the pods")
    runtime_class: str = _is("", "RuntimeClass of the trainer pods, such as nvidia")
    queue: str = _is("", "Kueue LocalQueue that admits the trainer Jobs")
    queue_minimum: int = _is(1, "smallest parallelism at which Kueue may start a Job; 0: all or nothing")
    queue_priority: str = _is("", "Kueue WorkloadPriorityClass")
    labels: Mapping[str, str] = _is({}, "further labels of Jobs and pods")
    annotations: Mapping[str, str] = _is({}, "further annotations of Jobs and pods")
    env: Mapping[str, str] = _is({}, "further environment variables of the pods")
    env_secrets: Mapping[str, str] = _is({}, "further environment variables from Secrets: NAME=SECRET/KEY")
    s3_endpoint: str = _is("", "URL of an S3 server other than AWS, as pods reach it")
    s3_region: str = _is("", "region of the bucket")
    proxy: str = _is("", "URL of the proxy through which pods reach the store and the sources of data sets")
    ca_bundle: str = _is("", "certificates that pods trust beside those of their image: CONFIGMAP/KEY")
    pod_patch: str = _is("", "a YAML file merged into the pods of every Job, for what no setting says")
    no_proxy: tuple[str, ...] = _is((), "hosts and networks beside the cluster's own that pods reach without the proxy")
    dns: tuple[str, ...] = _is(
        ("kube-system", "169.254.20.10"),
        "where pods resolve names: NAMESPACE, ADDRESS or NETWORK, with :PORT unless 53",
    )
    api_ports: tuple[int, ...] = _is((443, 6443), "ports of the API server, behind its Service")
    trainer_account: str = _is("ensemble-trainer", "ServiceAccount of the trainer pods and the preparing pods")
    collector_account: str = _is("ensemble-collector", "ServiceAccount of the collecting pod")
    retries: int = _is(3, "failures of a cell that count before it is given up; disruptions do not count")
    max_failed: int = _is(-1, "failed cells at which the Job stops early; -1: never")
    deadline_hours: float = _is(168.0, "hours after which a Job is stopped")
    cell_hours: float = _is(
        24.0, "hours after which one attempt at a cell is stopped; the next goes on from its checkpoint"
    )
    ttl_hours: float = _is(72.0, "hours for which a finished Job stays in the cluster; at least 1")
    grace_seconds: int = _is(100, "seconds from SIGTERM to SIGKILL, for the last checkpoint")
    checkpoint_seconds: int = _is(60, "seconds between checkpoints")
    outage_seconds: int = _is(
        1800,
        "seconds for which cells, --wait, k8s.wait and the collecting Job wait for a server that is away or refuses",
    )
    hopeless_minutes: int = _is(
        15,
        "minutes after which a Job is ended whose pods wait for what time does not heal, such as a wrong image; 0: never",
    )
    notify: str = _is("", "URL that gets one JSON POST when the run has ended; whoever may read Jobs can read it")
    answer_seconds: int = _is(30, "seconds for which a verb waits for the first answer of the API server")
    tensorboard: bool = _is(False, "put summaries for TensorBoard into the store, under tensorboard/")
    refresh_seconds: int = _is(60, "smallest number of seconds between two reports of the collecting Job")
    dataset: Mapping[str, Mapping[str, Any]] = _is({}, "other values for the Job of one data set")

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            setting_rules.check_type(f.name, getattr(self, f.name), str(f.type))
        setting_rules.check_values(vars(self))
        setting_rules.check_group(self.cells_per_pod, self.workers_per_gpu, self.gpus)
        self._check_images()
        for name in self.dataset:
            if name not in DATASETS and not own_data.NAME.fullmatch(name):
                allowed = f"{', '.join(DATASETS)}, or the name of a [data.NAME]"
                raise refuse("a table of setting dataset", name, allowed, "correct its name")
            self.of(name)

    def _check_images(self) -> None:
        for name in ("image", "aggregator_image"):
            image = getattr(self, name)
            if image and "@sha256:" not in image and not self.allow_tag:
                allowed = "an image by digest, REPOSITORY@sha256:..."
                raise refuse(f"setting {name}", image, allowed, "resolve the tag, or accept it with --allow-tag")

    def cells_of_pod(self, dataset: str) -> int:
        """Returns how many cells of a data set one pod trains at most."""
        return self.of(dataset).cells_per_pod

    def of(self, dataset: str) -> Settings:
        """Returns the settings with those of one data set in place."""
        own = self.dataset.get(dataset, {})
        for name in own:
            if name not in PER_DATASET:
                allowed = ", ".join(PER_DATASET)
                raise refuse(f"a setting of data set {dataset}", name, allowed, "set it for all data sets")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in own.items()}
        return dataclasses.replace(self, **{**values, "dataset": {}})
