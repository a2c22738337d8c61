"""Launching against a real API server: created once, judged strictly, read back, never changed behind the user's back."""

from __future__ import annotations

import pytest

from experiment.assignment import read_assignment
from k8s import status
from k8s.manifests import jobs, names
from tests.cluster.simulated_run import cell
from tests.factories import commit

pytestmark = pytest.mark.cluster


def state(run):
    return {
        jobs.object_name(j): (j["metadata"]["uid"], j["spec"])
        for j in run.kube.list("Job", names.run_selector(run.name))
    }


def test_a_launch_creates_its_jobs_and_the_same_launch_again_changes_nothing(run):
    code, said = run.launch()
    before = state(run)
    again, said_again = run.launch()

    assert (code, again) == (0, 0)
    assert sorted(jobs.label_of(j, names.PART) for j in run.kube.list("Job", names.run_selector(run.name))) == [
        "collect",
        "trainer",
    ]
    assert said.count("created Job") == 3
    assert "4 cells belong to 1 active Jobs" in said_again
    assert "nothing to create" in said_again
    assert state(run) == before


def test_every_index_of_the_pods_leads_to_its_own_missing_cell(run):
    for seed in (0, 3, 4):
        commit(run.store, cell(seed))
    run.launch(cells=9)
    pods = [run.running(i) for i in range(6)]

    assert [run.cell_of(p).seed for p in pods] == [1, 2, 5, 6, 7, 8]
    assert len(run.pods()) == 6


def test_a_server_dry_run_is_judged_and_leaves_nothing(run):
    code, said = run.launch("--dry-run", "server")

    assert code == 0
    assert "the server accepts 3 Jobs" in said
    assert state(run) == {}
    assert not list(run.store.list("runs/"))


def test_other_settings_for_an_active_job_are_a_conflict_that_is_explained(run):
    run.launch()
    before = state(run)

    code, said = run.launch("--memory", "13Gi", "--cpu", "2")

    assert code == 42
    assert "is active with other settings" in said
    assert '"12Gi", not "13Gi"' in said
    assert "cancel" in said
    assert state(run) == before


def test_parallelism_may_change_while_it_runs(run):
    run.launch("--parallelism", "1")
    run.running(0)

    code, said = run.launch("--parallelism", "3")

    assert code == 0
    assert "1 -> 3" in said
    run.until(lambda: len(run.pods()) == 3, "three pods")

    code, said = run.launch("--max-gpus", "2")

    assert code == 0
    assert "3 -> 2" in said
    run.until(lambda: run.job()["status"].get("active") == 2, "two pods")


def test_the_data_set_is_prepared_first_by_a_job_of_its_own_and_no_gpu_is_asked_for_before(run):
    _, said = run.launch(prepares=True)
    _, again = run.launch(prepares=True)
    _, seen = run.of_run(status.main)
    run.until(lambda: run.kube.list("Pod", names.run_selector("lab", names.PREPARE)), "its pod")

    assert "first, in a pod without a GPU: prepared or verified digits" in said
    assert [jobs.object_name(j) for j in run.jobs(names.PREPARE)] == ["lab-prepare-digits"]
    assert "nothing to create" in again
    assert run.job()["spec"]["suspend"] is True
    assert seen.count("waits for its data set: ") == 4
    assert run.pods() == []


def test_more_cells_in_the_same_run_are_refused_and_in_another_only_the_missing_ones_are_trained(run):
    run.launch(cells=2)
    run.finish_all()
    code, said = run.launch(cells=3)
    run.name = "more"
    run.launch(cells=3)

    assert (code, "choose another --run" in said) == (42, True)
    assert read_assignment(run.store, "more", jobs.object_name(run.job())).indexes == (2,)


def test_a_namespace_that_was_not_set_up_is_named(run):
    run.kube.delete("ServiceAccount", "ensemble-trainer")
    code, said = run.launch()

    assert code == 42
    assert "no service account ensemble-trainer" in said
    assert "k8s.setup" in said
    assert state(run) == {}


def test_what_the_server_refuses_is_said_and_nothing_is_created(run):
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": run.namespace},
        "spec": {"hard": {"count/jobs.batch": "1"}},
    }
    run.kube.create(quota)
    run.until(lambda: "hard" in run.kube.get("ResourceQuota", "none").get("status", {}), "the quota")
    run.kube.create(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "other", "namespace": run.namespace},
            "spec": {
                "suspend": True,
                "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}},
            },
        }
    )

    code, said = run.launch()

    assert code == 42
    assert "exceeded quota" in said
    assert state(run) == {}
    assert not list(run.store.list("runs/"))
