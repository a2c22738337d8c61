"""Status on the real control plane: every cell with its state and its reason."""

from __future__ import annotations

import json

import pytest

from experiment import keys, records
from experiment.records import Failure
from k8s import status
from k8s.manifests import jobs
from tests.cluster.simulated_run import cell, now
from tests.factories import commit, put_progress

pytestmark = pytest.mark.cluster


def test_status_says_of_every_cell_how_it_is_doing(run):
    run.launch("--parallelism", "4", cells=6)
    pods = {i: run.running(i) for i in range(4)}
    run.finish(pods[0])
    run.fail(pods[1], 43, "diverged", "cost is nan in epoch 1, step 7")
    run.finish(pods[2], 137, reason="OOMKilled")
    put_progress(run.store, run.cell_of(pods[3]), pods[3]["metadata"]["uid"])
    run.until(lambda: jobs.completed_indexes(run.job()) == {0} and jobs.failed_indexes(run.job()) == {1}, "two ends")
    run.until(lambda: len([p for p in run.pods() if p["status"]["phase"] == "Running"]) == 3, "the next cells")

    code, text = run.of_run(status.main)
    rows = {line.split()[0]: line for line in text.splitlines() if line.split() and line.split()[0].isdigit()}

    assert code == 0
    assert rows["0"].endswith("done")
    assert "failed        cost is nan in epoch 1, step 7" in rows["1"]
    assert "killed because it exceeded its memory limit of 12Gi (setting memory)" in rows["2"]
    assert "waiting" in rows["2"]
    assert "running       epoch 1/2, 1,234 images/s, 1 min 15 s left" in rows["3"]
    assert "running" in rows["4"]
    assert "run lab: 1 done, 3 running, 1 waiting, 1 failed" in text


def test_status_is_json_for_programs(run):
    run.launch(cells=2)
    run.finish(run.running(0))

    found = run.until(
        lambda: (f := json.loads(run.of_run(status.main, "--json")[1]))["counts"].get("done") and f, "a cell done"
    )

    assert found["run"] == "lab"
    assert [c["cell"] for c in found["cells"]] == [cell(0).id, cell(1).id]
    assert {j["part"] for j in found["jobs"]} == {"trainer", "collect"}


def test_status_counts_interruptions(run):
    run.launch(cells=1)
    pod = run.running(0)
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": jobs.object_name(pod), "namespace": run.namespace},
    }
    told = {"kind": "interrupted", "exit_code": 143, "message": "told to stop", "time": now()}
    record = Failure(cell=cell(0).id, attempt=pod["metadata"]["uid"], **told)
    run.store.put_once(keys.failure(record.cell, record.attempt), records.to_bytes(record), "a")
    run.kube.request("POST", f"{run.kube.path('Pod', jobs.object_name(pod))}/eviction", {}, body)
    run.running(0, other_than=pod["metadata"]["uid"])

    text = run.of_run(status.main)[1]

    assert "running       interrupted once" in text


def test_without_a_cluster_status_speaks_from_the_store(run, monkeypatch):
    run.launch(cells=2)
    commit(run.store, cell(1))
    monkeypatch.setenv("KUBECONFIG", "absent")

    code, text = run.of_run(status.main)

    assert code == 0
    assert "the cluster was not asked" in text
    assert "1 done, 1 missing" in text
