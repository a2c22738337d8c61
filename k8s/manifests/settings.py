"""Settings: how this cluster runs Jobs. Checked when made; ``k8s.manifests.sources`` reads them from file, environment and flags."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiment.datasets import DATASETS
from experiment.errors import InvalidInput, refuse

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
DOMAIN = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
KEY = re.compile(rf"({DOMAIN}/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?")
VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
TOLERATION = re.compile(rf"(?P<key>{KEY.pattern})(=(?P<value>[A-Za-z0-9._-]+))?(:(?P<effect>NoSchedule|PreferNoSchedule|NoExecute))?")  # fmt: skip
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SECRET = re.compile(rf"{DOMAIN}/[A-Za-z0-9._-]+")
IMAGE = re.compile(r"[a-z0-9]([a-z0-9._:/-]*[a-z0-9])?(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?")
URL = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._/-]*)?")
OWN_ENV = ("ATTEMPT", "IMAGE", "GIT_COMMIT", "CHECKPOINT_SECONDS", "HOME", "JOB_COMPLETION_INDEX")
KEYS_IN_THE_OPEN = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
PER_DATASET = ("cpu", "memory", "scratch", "gpus", "gpu_resource", "gpu_type", "parallelism", "deadline_hours", "cell_hours",
               "retries", "max_failed", "instance_types", "node_selector", "tolerations", "priority_class")  # fmt: skip


def _is(default: Any, help: str) -> Any:  # noqa: A002 - the word that argparse uses
    made = {"default_factory": dict} if default == {} else {"default": default}
    return field(**made, metadata={"help": help})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One field per option; the flag's help is its documentation. Errors: InvalidInput on construction."""

    context: str = _is("", "kubeconfig context (the current one)")
    namespace: str = _is("ensembles", "namespace of everything")
    image: str = _is("", "trainer image, by digest: REPOSITORY@sha256:...")
    aggregator_image: str = _is("", "image of the collecting Job, by digest")
    allow_tag: bool = _is(False, "accept images by tag, which may come to mean another image")
    pull_secrets: tuple[str, ...] = _is((), "Secrets with credentials for the image registry")
    parallelism: int = _is(0, "cells of one Job trained at the same time; 0: all; may change while it runs")
    gpus: int = _is(1, "GPUs of a cell; 0: none")
    gpu_resource: str = _is(
        "nvidia.com/gpu", "resource name of a GPU, a shared GPU or a slice, such as nvidia.com/mig-1g.10gb"
    )
    gpu_type: str = _is("t4", "row of the table of GPU types that forecasts rest on")
    gpu_table: str = _is("", "a TOML file with further or other rows of that table")
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
    priority_class: str = _is("", "PriorityClass of the trainer pods")
    runtime_class: str = _is("", "RuntimeClass of the trainer pods, such as nvidia")
    queue: str = _is("", "Kueue LocalQueue that admits the trainer Jobs")
    queue_minimum: int = _is(1, "least parallelism at which Kueue may start a Job; 0: all or nothing")
    queue_priority: str = _is("", "Kueue WorkloadPriorityClass")
    labels: Mapping[str, str] = _is({}, "further labels of Jobs and pods")
    annotations: Mapping[str, str] = _is({}, "further annotations of Jobs and pods")
    env: Mapping[str, str] = _is({}, "further environment of the pods")
    env_secrets: Mapping[str, str] = _is({}, "further environment from Secrets: NAME=SECRET/KEY")
    s3_endpoint: str = _is("", "URL of an S3 server other than AWS, as pods reach it")
    s3_region: str = _is("", "region of the bucket")
    trainer_account: str = _is("ensemble-trainer", "ServiceAccount of trainer and preparing pods")
    collector_account: str = _is("ensemble-collector", "ServiceAccount of the collecting pod")
    retries: int = _is(3, "failures of a cell that count before it is given up; disruptions do not count")
    max_failed: int = _is(-1, "failed cells at which the Job stops early; -1: never")
    deadline_hours: float = _is(168.0, "hours after which a Job is stopped")
    cell_hours: float = _is(24.0, "hours after which one attempt at a cell is stopped; its next one goes on from there")
    ttl_hours: float = _is(72.0, "hours for which a finished Job stays in the cluster; at least 1")
    grace_seconds: int = _is(100, "seconds from SIGTERM to SIGKILL, for the last checkpoint")
    checkpoint_seconds: int = _is(60, "seconds between checkpoints")
    tensorboard: bool = _is(False, "put summaries for TensorBoard into the store, under tensorboard/")
    refresh_seconds: int = _is(60, "least seconds between two reports of the collecting Job")
    dataset: Mapping[str, Mapping[str, Any]] = _is({}, "other values for the Job of one data set")

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            _check_type(f.name, getattr(self, f.name), f.type)
        for name, pattern, allowed in _PATTERNS:
            for value in _texts(getattr(self, name)):
                if value and not pattern.fullmatch(value):
                    raise refuse(f"setting {name}", value, allowed, "correct it")
        for name, low, high in _RANGES:
            if not low <= getattr(self, name) <= high:
                raise refuse(f"setting {name}", getattr(self, name), f"{low} to {high}", "correct it")
        self._check_maps()
        self._check_images()
        for name in self.dataset:
            self.of(name)

    def _check_maps(self) -> None:
        for name, keys, values in (("node_selector", KEY, VALUE), ("labels", KEY, VALUE), ("annotations", KEY, None),
                                   ("env", ENV_NAME, None), ("env_secrets", ENV_NAME, SECRET)):  # fmt: skip
            for key, value in getattr(self, name).items():
                if not keys.fullmatch(key) or not (values.fullmatch(value) if values else _plain(value)):
                    raise refuse(
                        f"setting {name}",
                        f"{key}={value}",
                        "what Kubernetes takes in this place, printable",
                        "correct it",
                    )
        for name in (*self.env, *self.env_secrets):
            if name in OWN_ENV or (name in KEYS_IN_THE_OPEN and name in self.env):
                raise refuse(
                    "a variable of setting env",
                    name,
                    f"not {', '.join(OWN_ENV)}, and no key",
                    "take keys from a Secret with env_secrets",
                )

    def _check_images(self) -> None:
        for name in ("image", "aggregator_image"):
            image = getattr(self, name)
            if image and "@sha256:" not in image and not self.allow_tag:
                raise refuse(
                    f"setting {name}",
                    image,
                    "an image by digest, REPOSITORY@sha256:...",
                    "resolve the tag, or accept it with --allow-tag",
                )

    def of(self, dataset: str) -> Settings:
        """The settings with those of one data set in place."""
        own = self.dataset.get(dataset, {})
        if dataset not in DATASETS:
            raise refuse("a table of setting dataset", dataset, ", ".join(DATASETS), "correct its name")
        for name in own:
            if name not in PER_DATASET:
                raise refuse(
                    f"a setting of data set {dataset}", name, ", ".join(PER_DATASET), "set it for all data sets"
                )
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in own.items()}
        return dataclasses.replace(self, **{**values, "dataset": {}})


_PATTERNS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    *((n, NAME, "up to 63 of a-z, 0-9 and '-'") for n in ("namespace", "trainer_account", "collector_account", "priority_class",
                                                         "runtime_class", "queue", "queue_priority", "pull_secrets")),
    *((n, QUANTITY, "a quantity such as 500m, 2 or 12Gi") for n in ("cpu", "memory", "scratch", "prepare_cpu", "prepare_memory", "collect_cpu", "collect_memory")),
    *((n, KEY, "a name such as nvidia.com/gpu") for n in ("gpu_resource", "capacity_label")),
    *((n, VALUE, "a label's value") for n in ("capacity", "instance_types", "s3_region")),
    ("image", IMAGE, "REPOSITORY@sha256:DIGEST"),
    ("aggregator_image", IMAGE, "REPOSITORY@sha256:DIGEST"),
    ("tolerations", TOLERATION, "KEY[=VALUE][:EFFECT]"),
    ("s3_endpoint", URL, "http(s)://HOST[:PORT]"),
)  # fmt: skip
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("parallelism", 0, 100_000), ("gpus", 0, 64), ("queue_minimum", 0, 100_000), ("retries", 0, 100), ("max_failed", -1, 100_000),
    ("deadline_hours", 0.01, 8760), ("cell_hours", 0.01, 8760), ("ttl_hours", 1, 8760), ("grace_seconds", 30, 115),
    ("checkpoint_seconds", 1, 3600), ("refresh_seconds", 1, 3600),
)  # fmt: skip


def _texts(value: Any) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _plain(text: str) -> bool:
    """Whether YAML and JSON agree on the text: printable, within the basic plane (a surrogate pair breaks YAML)."""
    return text.isprintable() and all(ord(c) <= 0xFFFF for c in text)


def _check_type(name: str, value: Any, kind: Any) -> None:
    good = {
        "str": lambda: isinstance(value, str),
        "bool": lambda: isinstance(value, bool),
        "int": lambda: isinstance(value, int) and not isinstance(value, bool),
        "float": lambda: isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value),
        "tuple[str, ...]": lambda: isinstance(value, tuple) and all(isinstance(v, str) for v in value),
        "Mapping[str, str]": lambda: isinstance(value, Mapping) and all(isinstance(v, str) for v in value.values()),
        "Mapping[str, Mapping[str, Any]]": lambda: isinstance(value, Mapping) and all(isinstance(v, Mapping) for v in value.values()),
    }[kind]()  # fmt: skip
    if not good:
        raise InvalidInput(f"setting {name} is {value!r}; allowed: {_KINDS.get(kind, kind)}; correct it")


_KINDS = {"str": "text", "bool": "true or false", "int": "a whole number", "float": "a finite number",
          "tuple[str, ...]": "a list of texts", "Mapping[str, str]": "a table of texts",
          "Mapping[str, Mapping[str, Any]]": "tables [dataset.NAME]"}  # fmt: skip
