"""Looks at what a launch finds: the run's Jobs in the cluster, and what the store holds for them."""

from __future__ import annotations

from experiment import keys
from experiment.assignment import read_assignments
from experiment.store import Store
from k8s.cluster.kube import Kube
from k8s.manifests import names
from k8s.planning import outlook
from k8s.planning.work import Scene


def look(kube: Kube, store: Store, run: str) -> Scene:
    """The run as it stands in cluster and store."""
    return Scene(
        jobs=kube.list("Job", names.selector(run)),
        assignments=read_assignments(store, run),
        prepared=outlook.prepared(store),
        reported=store.exists(keys.report(run)),
    )
