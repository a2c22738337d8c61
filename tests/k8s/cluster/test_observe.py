"""A run is observed in cluster and store, or in the store alone."""

from __future__ import annotations

from experiment.ledger import DONE
from experiment.run import read_run
from k8s.cluster.connect import connect_cluster
from k8s.cluster.observe import find_existing, observe_run
from k8s.cluster.states import cell_states
from k8s.manifests import names


def job(run):
    return {"metadata": {"name": f"{run}-digits-1", "labels": names.run_labels(run, names.TRAINER)}, "spec": {}}


def test_without_a_cluster_the_store_alone_is_seen(launched):
    view = observe_run(launched, read_run(launched, "mine"), None)

    assert (view.jobs, view.pods) == (None, None)
    assert [c.state for c in cell_states(view)].count(DONE) == 1


def test_only_the_runs_own_objects_are_seen(api, launched):
    api.add("jobs", job("mine"))
    api.add("jobs", job("yours"))

    with connect_cluster("", "ensembles") as kube:
        view = observe_run(launched, read_run(launched, "mine"), kube)
        existing = find_existing(kube, launched, "mine")

    assert [j["metadata"]["name"] for j in view.jobs] == ["mine-digits-1"]
    assert [j["metadata"]["name"] for j in existing.jobs] == ["mine-digits-1"]
    assert existing.reported is False
