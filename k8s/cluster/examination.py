"""What a launch will need of a namespace and its cluster, asked for without changing anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubernetes.utils.quantity import parse_quantity

from experiment.errors import ExperimentError, NotFound, describe_error
from k8s.cluster.kube import Kube
from k8s.manifests.names import Manifest
from k8s.manifests.settings import Settings

RIGHT, WRONG, UNKNOWN = "right", "wrong", "unknown"
REVIEW = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
# What a launch, its watching and the other verbs do: API group, resource, verbs.
NEEDED_RIGHTS = (
    ("batch", "jobs", ("create", "get", "list", "watch", "patch", "delete")),
    ("", "pods", ("get", "list", "watch")),
    ("", "pods/log", ("get",)),
    ("", "events", ("list",)),
    ("", "serviceaccounts", ("get",)),
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a launch needs.

    Attributes:
        state: ``RIGHT``, ``WRONG``, or ``UNKNOWN`` where this user may not look.
        advice: what to do about it; empty where nothing is to be done.
    """

    topic: str
    state: str
    seen: str
    advice: str = ""


def examine_cluster(kube: Kube, settings: Settings) -> Iterator[Finding]:
    """Yields what the cluster says about namespace, accounts, rights, quotas and nodes."""
    looks = {
        "namespace": _examine_namespace(kube),
        "accounts": _examine_accounts(kube, settings),
        "rights": _examine_rights(kube),
        "quotas": _examine_quotas(kube, settings),
        "nodes": _examine_nodes(kube, settings),
    }
    for topic, findings in looks.items():
        try:
            yield from findings
        except ExperimentError as error:
            yield Finding(topic=topic, state=UNKNOWN, seen=describe_error(error))


def _examine_namespace(kube: Kube) -> Iterator[Finding]:
    try:
        kube.get("Namespace", kube.namespace)
    except NotFound:
        advice = f"run python -m k8s.setup --namespace {kube.namespace} --apply, or set namespace"
        yield Finding(topic="namespace", state=WRONG, seen=f"there is no {kube.namespace}", advice=advice)
        return
    yield Finding(topic="namespace", state=RIGHT, seen=kube.namespace)


def _examine_accounts(kube: Kube, settings: Settings) -> Iterator[Finding]:
    for account in (settings.trainer_account, settings.collector_account):
        try:
            kube.get("ServiceAccount", account)
            yield Finding(topic="accounts", state=RIGHT, seen=account)
        except NotFound:
            advice = f"run python -m k8s.setup --namespace {kube.namespace} --apply"
            yield Finding(topic="accounts", state=WRONG, seen=f"there is no {account}", advice=advice)


def _examine_rights(kube: Kube) -> Iterator[Finding]:
    for group, resource, verbs in NEEDED_RIGHTS:
        lacking = [verb for verb in verbs if not _may(kube, group, resource, verb)]
        seen = f"{', '.join(lacking or verbs)} {resource}"
        if lacking:
            advice = "ask for the role ensemble-launcher (python -m k8s.setup --launcher-users or --launcher-groups)"
            yield Finding(topic="rights", state=WRONG, seen=f"you may not {seen}", advice=advice)
        else:
            yield Finding(topic="rights", state=RIGHT, seen=seen)


def _may(kube: Kube, group: str, resource: str, verb: str) -> bool:
    name, _, part = resource.partition("/")
    asked = {"namespace": kube.namespace, "verb": verb, "group": group, "resource": name, "subresource": part}
    answer = kube.request("POST", REVIEWS, body={**REVIEW, "spec": {"resourceAttributes": asked}})
    return bool(json.loads(answer).get("status", {}).get("allowed"))


def _examine_quotas(kube: Kube, settings: Settings) -> Iterator[Finding]:
    wanted = {
        "pods": "1",
        "count/jobs.batch": "1",
        "requests.cpu": settings.cpu,
        "requests.memory": settings.memory,
        "limits.memory": settings.memory,
        **({f"requests.{settings.gpu_resource}": str(settings.gpus)} if settings.gpus else {}),
    }
    found = kube.list("ResourceQuota", "")
    for quota in found:
        yield from _judge_quota(quota, wanted)
    if not found:
        yield Finding(topic="quotas", state=RIGHT, seen="none")


def _judge_quota(quota: Manifest, wanted: Mapping[str, str]) -> Iterator[Finding]:
    """Yields whether one more trainer pod fits into a quota."""
    name = quota["metadata"]["name"]
    hard, used = (quota.get("status", {}).get(k) or quota["spec"].get(k) or {} for k in ("hard", "used"))
    if "limits.cpu" in hard:
        advice = "give the pods a CPU limit with pod_patch, or have that limit removed"
        yield Finding(topic="quotas", state=WRONG, seen=f"{name} wants limits.cpu of every pod", advice=advice)
    for resource, need in wanted.items():
        if resource in hard:
            left = parse_quantity(hard[resource]) - parse_quantity(used.get(resource, "0"))
            seen = f"{name}: {used.get(resource, '0')} of {hard[resource]} {resource} used, a pod needs {need}"
            if parse_quantity(need) <= left:
                yield Finding(topic="quotas", state=RIGHT, seen=seen)
            else:
                yield Finding(topic="quotas", state=WRONG, seen=seen, advice="have it raised, or wait for its users")


def _examine_nodes(kube: Kube, settings: Settings) -> Iterator[Finding]:
    labels = dict(settings.node_selector)
    labels |= {"kubernetes.io/arch": settings.arch} if settings.arch else {}
    labels |= {settings.capacity_label: settings.capacity} if settings.capacity else {}
    resource, need = (settings.gpu_resource, settings.gpus) if settings.gpus else ("cpu", settings.cpu)
    selected = [n for n in kube.list("Node", "") if labels.items() <= n["metadata"].get("labels", {}).items()]
    fit = [n for n in selected if _capacity(n, resource) >= parse_quantity(need)]
    said = f"of the nodes {', '.join(f'{k}={v}' for k, v in labels.items()) or 'of any label'}"
    if fit:
        yield Finding(topic="nodes", state=RIGHT, seen=f"{len(fit)} {said} have {need} {resource}")
        return
    seen = f"none {said} has {need} {resource} now ({len(selected)} have the labels)"
    advice = "right where an autoscaler makes them; else correct node_selector, capacity, arch or gpu_resource"
    yield Finding(topic="nodes", state=UNKNOWN, seen=seen, advice=advice)


def _capacity(node: Manifest, resource: str) -> float:
    return float(parse_quantity(node.get("status", {}).get("allocatable", {}).get(resource, "0")))
