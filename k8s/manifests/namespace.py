"""The manifests of a namespace for launches: pure, from settings and the options of ``k8s.setup``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from experiment.errors import refuse
from k8s.manifests.egress import dns_rules, find_ports
from k8s.manifests.names import Manifest
from k8s.manifests.settings import Settings
from k8s.manifests.template import fill_documents

ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[A-Za-z0-9+=,.@_/-]+")
IRSA = "eks.amazonaws.com/role-arn"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of ``k8s.setup`` that are no settings.

    Attributes:
        trainer_role, collector_role: ARNs of IAM roles for IRSA; empty with Pod Identity or none.
        groups, users: who may launch.
        quota_gpus, quota_pods: most of each in the namespace; 0: no limit.
    """

    trainer_role: str = ""
    collector_role: str = ""
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    quota_gpus: int = 0
    quota_pods: int = 0

    def __post_init__(self) -> None:
        for role in (self.trainer_role, self.collector_role):
            if role and not ROLE.fullmatch(role):
                raise refuse("the IAM role", role, "arn:aws:iam::ACCOUNT:role/NAME", "copy its ARN")
        for who in (*self.groups, *self.users):
            if not who or not who.isprintable():
                raise refuse("a launcher", who, "a group or user as Kubernetes knows it", "correct it")


def namespace_manifests(settings: Settings, options: Options) -> list[Manifest]:
    """Returns what a namespace needs before a launch, in the order of creation."""
    values = {
        "namespace": settings.namespace,
        "trainer_account": settings.trainer_account,
        "collector_account": settings.collector_account,
        "trainer_annotations": {IRSA: options.trainer_role} if options.trainer_role else {},
        "collector_annotations": {IRSA: options.collector_role} if options.collector_role else {},
        "launchers": [
            {"kind": "ServiceAccount", "name": "ensemble-launcher", "namespace": settings.namespace},
            *(_subject("Group", name) for name in options.groups),
            *(_subject("User", name) for name in options.users),
        ],
        "dns": dns_rules(settings.dns),
        "ports": find_ports(settings.api_ports, (settings.s3_endpoint, settings.proxy, settings.notify)),
        "queue": settings.queue,
        "quota": quota_limits(settings, options),
    }
    return fill_documents("setup", values)


def _subject(kind: str, name: str) -> Manifest:
    return {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}


def quota_limits(settings: Settings, options: Options) -> dict[str, str]:
    """Returns the hard limits of the ResourceQuota; empty for none."""
    gpus = {f"requests.{settings.gpu_resource}": str(options.quota_gpus)} if options.quota_gpus else {}
    return gpus | ({"pods": str(options.quota_pods)} if options.quota_pods else {})
