"""Checks the type, pattern and range of a setting's value. Pure; ``k8s.manifests.settings`` holds the settings."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from experiment.errors import InvalidInput, refuse
from experiment.urls import names_server
from k8s.manifests.egress import LARGEST_PORT, parse_dns

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
DOMAIN = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
OBJECT_NAME = re.compile(rf"(?=.{{1,253}}$){DOMAIN}")
QUEUE_NAME = re.compile(rf"(?=.{{1,63}}$){DOMAIN}")  # a label's value beside that
KEY = re.compile(rf"({DOMAIN}/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?")
VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
TOLERATION = re.compile(
    rf"(?P<key>{KEY.pattern})(=(?P<value>[A-Za-z0-9._-]+))?(:(?P<effect>NoSchedule|PreferNoSchedule|NoExecute))?"
)
ENV_NAME = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]*")
SECRET = re.compile(rf"{DOMAIN}/[A-Za-z0-9._-]+")
IMAGE = re.compile(r"[a-z0-9]([a-z0-9._:/-]*[a-z0-9])?(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?")
URL = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._/-]*)?")
HOOK = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(/[!-~]*)?")
PROXY = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+/?")
HOST = re.compile(r"[A-Za-z0-9.:*/\[\]-]+")
OWN_ENV = ("ATTEMPT", "IMAGE", "GIT_COMMIT", "CHECKPOINT_SECONDS", "OUTAGE_SECONDS", "HOME", "JOB_COMPLETION_INDEX")
KEYS_IN_THE_OPEN = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")

OBJECTS = ("trainer_account", "collector_account", "pull_secrets", "priority_class", "runtime_class")
QUANTITIES = ("cpu", "memory", "scratch", "prepare_cpu", "prepare_memory", "collect_cpu", "collect_memory")
PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (("namespace",), NAME, "up to 63 of a-z, 0-9 and '-'"),
    (OBJECTS, OBJECT_NAME, "up to 253 of a-z, 0-9, '-' and '.'"),
    (("queue", "queue_priority"), QUEUE_NAME, "up to 63 of a-z, 0-9, '-' and '.'"),
    (QUANTITIES, QUANTITY, "a quantity such as 500m, 2 or 12Gi"),
    (("gpu_resource", "capacity_label"), KEY, "a name such as nvidia.com/gpu"),
    (("capacity", "instance_types", "s3_region"), VALUE, "a label's value"),
    (("image", "aggregator_image"), IMAGE, "REPOSITORY@sha256:DIGEST"),
    (("tolerations", "cpu_tolerations"), TOLERATION, "KEY[=VALUE][:EFFECT]"),
    (("arch",), re.compile("amd64|arm64"), "amd64 or arm64"),
    (("do_not_disrupt",), re.compile(r"true|([0-9]+(h|m|s))+"), "true, or a duration such as 2h or 90m"),
    (("ca_bundle",), SECRET, "CONFIGMAP/KEY"),
    (("s3_endpoint",), URL, "http(s)://HOST[:PORT]"),
    (("notify",), HOOK, "http(s)://HOST[:PORT]/PATH, without a user"),
    (("proxy",), PROXY, "http(s)://HOST[:PORT], without a password"),
    (("no_proxy",), HOST, "a host name, .DOMAIN, an address or a network"),
)
ADDRESSES = ("s3_endpoint", "proxy", "notify")
RANGES: dict[str, tuple[float, float]] = {
    "parallelism": (0, 100_000),
    "cells_per_pod": (1, 1000),
    "workers_per_gpu": (1, 64),
    "max_gpus": (0, 6_400_000),
    "max_dollars": (0, 1e9),
    "ask_above": (0, 1e9),
    "gpus": (0, 64),
    "gpu_share": (0, 1),
    "queue_minimum": (0, 100_000),
    "retries": (0, 100),
    "max_failed": (-1, 100_000),
    "deadline_hours": (0.01, 8760),
    "cell_hours": (0.01, 8760),
    "ttl_hours": (1, 8760),
    "grace_seconds": (30, 115),
    "checkpoint_seconds": (1, 3600),
    "outage_seconds": (0, 86_400),
    "hopeless_minutes": (0, 10_080),
    "answer_seconds": (0, 86_400),
    "refresh_seconds": (1, 3600),
    "api_ports": (1, LARGEST_PORT),
}
TABLES: dict[str, tuple[re.Pattern[str], re.Pattern[str] | None]] = {  # patterns of keys and values
    "node_selector": (KEY, VALUE),
    "cpu_node_selector": (KEY, VALUE),
    "labels": (KEY, VALUE),
    "annotations": (KEY, None),
    "env": (ENV_NAME, None),
    "env_secrets": (ENV_NAME, SECRET),
}
VARIABLES = ("env", "env_secrets")
TYPES = {
    "str": "text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a finite number",
    "tuple[str, ...]": "a list of texts",
    "tuple[int, ...]": "a list of whole numbers",
    "Mapping[str, str]": "a table of texts",
    "Mapping[str, Mapping[str, Any]]": "tables [dataset.NAME]",
}


def check_type(name: str, value: Any, kind: str) -> None:
    """Accepts a value of the setting's type, one of ``TYPES``.

    Raises:
        InvalidInput: it is of another type.
    """
    if not _has_type(value, kind):
        raise InvalidInput(f"setting {name} is {value!r}; allowed: {TYPES[kind]}; correct it")


def _has_type(value: Any, kind: str) -> bool:
    match kind:
        case "str":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        case "tuple[str, ...]":
            return isinstance(value, tuple) and all(isinstance(v, str) for v in value)
        case "tuple[int, ...]":
            return isinstance(value, tuple) and all(isinstance(v, int) and not isinstance(v, bool) for v in value)
        case _:
            inner = str if kind == "Mapping[str, str]" else Mapping
            return isinstance(value, Mapping) and all(isinstance(v, inner) for v in value.values())


def check_values(values: Mapping[str, Any]) -> None:
    """Accepts the values of all settings, each of its type.

    Raises:
        InvalidInput: a value does not fit its pattern, lies outside its range, or is a variable that is not the user's to set.
    """
    for names, pattern, allowed in PATTERNS:
        for name in names:
            for text in _texts(values[name]):
                if text and not pattern.fullmatch(text):
                    raise refuse(f"setting {name}", text, allowed, "correct it")
    for name in ADDRESSES:
        if values[name] and not names_server(values[name]):
            raise refuse(f"setting {name}", values[name], "a host name or address, a port up to 65535", "correct it")
    for name, (low, high) in RANGES.items():
        for number in values[name] if isinstance(values[name], tuple) else (values[name],):
            if not low <= number <= high:
                raise refuse(f"setting {name}", number, f"{low} to {high}", "correct it")
    for place in values["dns"]:
        parse_dns(place)
    for name in TABLES:
        _check_table(name, values[name])
    _check_environment(values["env"], values["env_secrets"])


def check_group(cells: int, workers: int, gpus: int) -> None:
    """Accepts the number of cells of a pod, of those that it trains at the same time, and of its GPUs.

    Raises:
        InvalidInput: more workers than cells, or a pod of several cells with GPUs that its workers would not use.
    """
    if workers > cells:
        raise refuse("setting workers_per_gpu", workers, f"1 to cells_per_pod, {cells}", "raise cells_per_pod too")
    if cells > 1 and gpus > 1:
        raise refuse("setting gpus", gpus, f"0 or 1 with cells_per_pod {cells}", "give each group of cells one GPU")


def _texts(value: Any) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _check_table(name: str, table: Mapping[str, str]) -> None:
    key_pattern, value_pattern = TABLES[name]
    for key, value in table.items():
        good = value_pattern.fullmatch(value) if value_pattern else _is_plain(value)
        if not key_pattern.fullmatch(key) or not good:
            allowed = "NAME=SECRET/KEY" if name == "env_secrets" else "what Kubernetes takes in this place, printable"
            given = key if name in VARIABLES else f"{key}={value}"  # a secret may stand there by mistake
            raise refuse(f"setting {name}", given, allowed, "correct it")


def _is_plain(text: str) -> bool:
    """Returns whether YAML and JSON agree on the text: printable, in the basic plane (a surrogate pair breaks YAML)."""
    return text.isprintable() and all(ord(c) <= 0xFFFF for c in text)


def _check_environment(env: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    for name in (*env, *secrets):
        if name in OWN_ENV or (name in KEYS_IN_THE_OPEN and name in env):
            allowed = f"names other than {', '.join(OWN_ENV)}, and keys of S3 only from Secrets"
            raise refuse("a variable of setting env", name, allowed, "take keys from a Secret with env_secrets")


def parse_toleration(text: str) -> dict[str, Any]:
    """Returns a pod's toleration from ``KEY[=VALUE][:EFFECT]``. Raises InvalidInput."""
    match = TOLERATION.fullmatch(text)
    if match is None:
        raise refuse("a toleration", text, "KEY[=VALUE][:EFFECT]", "correct it")
    value, effect = match["value"], match["effect"]
    kind: dict[str, Any] = {"operator": "Equal", "value": value} if value else {"operator": "Exists"}
    return {"key": match["key"], **kind, **({"effect": effect} if effect else {})}
