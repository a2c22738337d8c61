"""Settings and launches for tests."""

from k8s.manifests.render import Launch
from k8s.manifests.settings import Settings

IMAGE = "registry.example/ensembles/trainer@sha256:" + "a" * 64
AGGREGATOR = "registry.example/ensembles/aggregator@sha256:" + "b" * 64


def settings(**values):
    """Settings with which a launch works, changed by ``values``."""
    return Settings(**{"image": IMAGE, "aggregator_image": AGGREGATOR, **values})


def launch(run="full-f7b7a7", **values):
    """What the manifests of a launch have in common, with these settings."""
    return Launch(store="s3://bucket/prefix", run=run, grid="full", git_commit="c0ffee", settings=settings(**values))
