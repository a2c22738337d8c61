"""Settings, launches and refusals of an API server, made up."""

import json

from kubernetes.client.exceptions import ApiException

from k8s.manifests.render import Launch
from k8s.manifests.settings import Settings

IMAGE = "registry.example/ensembles/trainer@sha256:" + "a" * 64
AGGREGATOR = "registry.example/ensembles/aggregator@sha256:" + "b" * 64
RICH = {  # a value for nearly every setting
    "max_failed": 5,
    "parallelism": 4,
    "capacity": "spot",
    "instance_types": ("g4dn.xlarge", "g5.xlarge"),
    "node_selector": {"disk": "ssd"},
    "tolerations": ("nvidia.com/gpu:NoSchedule", "team=vision"),
    "priority_class": "low",
    "runtime_class": "nvidia",
    "queue": "gpus",
    "queue_priority": "urgent",
    "labels": {"team": "yes"},
    "annotations": {"note": 'a "quoted": #value'},
    "env": {"TF_CPP_MIN_LOG_LEVEL": "1"},
    "env_secrets": {"AWS_SECRET_ACCESS_KEY": "s3/secret"},
    "s3_endpoint": "http://10.0.0.1:9000",
    "s3_region": "eu-central-1",
    "pull_secrets": ("registry",),
    "tensorboard": True,
    "gpu_resource": "nvidia.com/mig-1g.10gb",
}


def settings(**values):
    """Settings with which a launch works, changed by ``values``."""
    return Settings(**{"image": IMAGE, "aggregator_image": AGGREGATOR, **values})


def launch(run="full-f7b7a7", **values):
    """What the manifests of a launch have in common, with these settings."""
    return Launch(store="s3://bucket/prefix", run=run, grid="full", git_commit="c0ffee", settings=settings(**values))


def refusal(status, message=""):
    """The client's error for an answer of the API server."""
    error = ApiException(status=status, reason="r")
    error.body = json.dumps({"message": message})
    return error


def shape_of(value):
    """A document with the type's name in place of every value."""
    if isinstance(value, dict):
        return {k: shape_of(v) for k, v in value.items()}
    return [shape_of(v) for v in value] if isinstance(value, list) else type(value).__name__
