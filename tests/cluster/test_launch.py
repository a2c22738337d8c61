"""Launching against a real API server: created once, judged strictly, read back, never changed behind the user's back."""

from __future__ import annotations

import pytest

from experiment.assignment import read_assignment
from k8s.cluster import jobs
from k8s.manifests import names
from tests.cluster.lab import cell
from tests.made import commit

pytestmark = pytest.mark.cluster


def state(lab):
    return {jobs.name(j): (j["metadata"]["uid"], j["spec"]) for j in lab.kube.list("Job", names.selector(lab.run))}


def test_a_launch_creates_its_jobs_and_the_same_launch_again_changes_nothing(lab):
    code, said = lab.launch()
    before = state(lab)
    again, said_again = lab.launch()

    assert (code, again) == (0, 0)
    assert sorted(jobs.label(j, names.PART) for j in lab.kube.list("Job", names.selector(lab.run))) == [
        "collect",
        "trainer",
    ]
    assert said.count("created Job") == 2
    assert "4 cells are in the hands of 1 active Jobs" in said_again
    assert "nothing to create" in said_again
    assert state(lab) == before


def test_every_index_of_the_pods_leads_to_its_own_missing_cell(lab):
    for seed in (0, 3, 4):
        commit(lab.store, cell(seed))
    lab.launch(cells=9)
    pods = [lab.running(i) for i in range(6)]

    assert [lab.cell_of(p).seed for p in pods] == [1, 2, 5, 6, 7, 8]
    assert len(lab.pods()) == 6


def test_a_server_dry_run_is_judged_and_leaves_nothing(lab):
    code, said = lab.launch("--dry-run", "server")

    assert code == 0
    assert "the server accepts 2 Jobs" in said
    assert state(lab) == {}
    assert not list(lab.store.list("runs/"))


def test_other_settings_for_an_active_job_are_a_conflict_that_is_explained(lab):
    lab.launch()
    before = state(lab)

    code, said = lab.launch("--memory", "13Gi", "--cpu", "2")

    assert code == 42
    assert "is active with other settings" in said
    assert '"12Gi", not "13Gi"' in said
    assert "cancel" in said
    assert state(lab) == before


def test_parallelism_may_change_while_it_runs(lab):
    lab.launch("--parallelism", "1")
    lab.running(0)

    code, said = lab.launch("--parallelism", "3")

    assert code == 0
    assert "1 -> 3" in said
    lab.until(lambda: len(lab.pods()) == 3, "three pods")


def test_a_data_set_that_the_store_lacks_is_prepared_by_a_job_of_its_own(lab):
    lab.store.delete("datasets/digits.json")

    _, said = lab.launch()
    _, again = lab.launch()

    assert "first prepared: digits" in said
    assert [jobs.name(j) for j in lab.jobs(names.PREPARE)] == ["lab-prepare-digits"]
    assert "nothing to create" in again


def test_more_cells_in_the_same_run_are_refused_and_in_another_only_the_missing_ones_are_trained(lab):
    lab.launch(cells=2)
    lab.finish_all()
    code, said = lab.launch(cells=3)
    lab.run = "more"
    lab.launch(cells=3)

    assert (code, "choose another --run" in said) == (42, True)
    assert read_assignment(lab.store, "more", jobs.name(lab.job())).indexes == (2,)


def test_a_namespace_that_was_not_set_up_is_named(lab):
    lab.kube.delete("ServiceAccount", "ensemble-trainer")
    code, said = lab.launch()

    assert code == 42
    assert "no service account ensemble-trainer" in said
    assert "k8s.setup" in said
    assert state(lab) == {}


def test_what_the_server_refuses_is_said_and_nothing_is_created(lab):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": lab.namespace},
             "spec": {"hard": {"count/jobs.batch": "1"}}}  # fmt: skip
    lab.kube.create(quota)
    lab.until(lambda: "hard" in lab.kube.get("ResourceQuota", "none").get("status", {}), "the quota")
    lab.kube.create(
        {
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "other", "namespace": lab.namespace},
            "spec": {"suspend": True, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}},
        }
    )  # fmt: skip

    code, said = lab.launch()

    assert code == 42
    assert "exceeded quota" in said
    assert state(lab) == {}
    assert not list(lab.store.list("runs/"))
