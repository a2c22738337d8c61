"""The verbs beside the launch, about a run on the real control plane."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from experiment import keys, records
from experiment.records import Failure, Progress
from k8s import cancel, cleanup, collect, logs, retry, status
from k8s.cluster import watch
from k8s.manifests import jobs, names
from tests.cluster.simulated_run import cell, now
from tests.conftest import ROOT
from tests.made import commit

pytestmark = pytest.mark.cluster


def progress(run, pod, epoch=1):
    """The word of the trainer in this pod."""
    record = Progress(cell=run.cell_of(pod).id, attempt=pod["metadata"]["uid"], epoch=epoch, epochs=2, step=2, steps=4,
                      images_per_second=1234.0, seconds_left=75.0, time=now())  # fmt: skip
    run.store.put(keys.progress(record.cell), records.to_bytes(record))


def failed(run, pod, code, kind, message):
    """Ends a pod as the trainer does that fails and leaves a record."""
    uid = pod["metadata"]["uid"]
    record = Failure(cell=run.cell_of(pod).id, attempt=uid, kind=kind, exit_code=code, message=message, time=now())
    run.store.put_once(keys.failure(record.cell, uid), records.to_bytes(record), uid)
    run.finish(pod, code)


def test_status_says_of_every_cell_how_it_is_doing(run):
    run.launch("--parallelism", "4", cells=6)
    pods = {i: run.running(i) for i in range(4)}
    run.finish(pods[0])
    failed(run, pods[1], 43, "diverged", "cost is nan in epoch 1, step 7")
    run.finish(pods[2], 137, reason="OOMKilled")
    progress(run, pods[3])
    run.until(lambda: jobs.completed_indexes(run.job()) == {0} and jobs.failed_indexes(run.job()) == {1}, "two ends")
    run.until(lambda: len([p for p in run.pods() if p["status"]["phase"] == "Running"]) == 3, "the next cells")

    code, text = run.of_run(status.main)
    rows = {line.split()[0]: line for line in text.splitlines() if line.split() and line.split()[0].isdigit()}

    assert code == 0
    assert rows["0"].endswith("done")
    assert "failed        cost is nan in epoch 1, step 7" in rows["1"]
    assert "killed for want of memory: its limit is 12Gi (setting memory)" in rows["2"]
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
    failed_before = Failure(
        cell=cell(0).id,
        attempt=pod["metadata"]["uid"],
        kind="interrupted",
        exit_code=143,
        message="told to stop",
        time=now(),
    )
    run.store.put_once(keys.failure(cell(0).id, failed_before.attempt), records.to_bytes(failed_before), "a")
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
    assert "the cluster is not asked" in text
    assert "1 done, 1 missing" in text


def test_cancel_stops_the_training_and_a_launch_goes_on(run):
    run.launch(cells=3)
    run.finish(run.running(0))
    run.until(lambda: jobs.completed_indexes(run.job()) == {0}, "a cell done")

    code, text = run.of_run(cancel.main)
    run.until(lambda: not run.jobs() and not run.pods(), "the Job and its pods gone")
    run.launch(cells=3)

    assert code == 0
    assert "cancelled 1 Jobs" in text
    assert (
        len(run.jobs(names.COLLECT)) == 2
    )  # each launch with new Jobs has its own; the older one leaves the run to it
    assert run.job()["spec"]["completions"] == 2


def test_retry_trains_the_failed_cells_and_no_others(run):
    run.launch(cells=4)
    failed(run, run.running(1), 43, "diverged", "cost is nan")
    run.finish(run.running(2), 42)
    run.until(lambda: jobs.failed_indexes(run.job()) == {1, 2}, "two cells given up")

    unchanged = run.launch(cells=4)[1]
    code, text = run.of_run(retry.main, "--image", run.job()["spec"]["template"]["spec"]["containers"][0]["image"],
                            "--aggregator-image", "r/a@sha256:" + "b" * 64, "--memory", "20Gi")  # fmt: skip
    first, second = run.jobs()

    assert "1 cells failed for good; python -m k8s.retry --run" in unchanged or "2 cells failed for good" in unchanged
    assert code == 0
    assert [line for line in text.splitlines() if line.startswith("again: ")] == [
        f"again: {cell(i).id}" for i in (1, 2)
    ]
    assert [run.cell_of(run.running(i, job=jobs.object_name(second))).seed for i in range(2)] == [1, 2]
    assert second["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] == "20Gi"
    assert "no cell of run lab has failed" in run.of_run(retry.main)[1]
    run.finish_all(jobs.object_name(second))
    run.finish_all(jobs.object_name(first))
    assert "4 done" in run.of_run(status.main)[1]


def test_cleanup_removes_finished_jobs_and_spent_checkpoints_and_no_result(run):
    run.launch(cells=2)
    for seed in (0, 1):
        run.store.put(keys.checkpoint(cell(seed).id, 5), b"weights")
    run.finish(run.running(0))
    run.finish(run.running(1), 42)
    run.until_ended()

    code, text = run.of_run(cleanup.main)

    assert code == 0
    assert "removed 1 Jobs and 1 objects" in text
    run.until(lambda: not run.jobs() and not run.pods(), "the Job and its pods gone")
    assert len(run.jobs(names.COLLECT)) == 1
    assert list(run.store.list("checkpoints/")) == [keys.checkpoint(cell(1).id, 5)]
    assert run.store.exists(keys.epochs(cell(0)))


def test_logs_come_from_the_store_where_the_pod_cannot_give_them(run):
    run.launch(cells=1)
    run.store.put(keys.log(cell(0).id, "earlier"), b'{"message": "hello"}\n')

    assert 'attempt earlier\n{"message": "hello"}' in run.of_run(logs.main, "--cell", cell(0).id[:12])[1]
    code, text = run.of_run(logs.main, "--cell", "digits-l2")
    assert (code, "did you mean" in text or "see python" in text) == (42, True)


def collector(run, report):
    return collect.Collector(kube=run.kube, store=run.store, run=run.launched(), report=report, refresh=0, poll=0.5,
                             own=jobs.object_name(run.jobs(names.COLLECT)[-1]))  # fmt: skip


def test_the_collecting_job_writes_down_what_killed_pods_could_not_and_reports_whatever_failed(run):
    run.launch("--retries", "0", cells=3)
    run.finish(run.running(0), 137, reason="OOMKilled")
    failed(run, run.running(1), 43, "diverged", "cost is nan")
    run.finish(run.running(2))
    run.until_ended()
    made = []

    assert collector(run, lambda: made.append(1) or 0).run() == 0

    written = [records.parse_record(run.store.read(k), k) for k in run.store.list(keys.FAILURES)]
    assert sorted((f.cell, f.kind) for f in written) == [(cell(0).id, "error"), (cell(1).id, "diverged")]
    assert len(made) == 1


def test_the_report_is_refreshed_as_cells_land_and_finished_when_the_jobs_have_ended(run):
    run.launch(cells=3)
    seen = []

    def report():
        seen.append(len(list(run.store.list("results/"))))
        running = [
            p for p in run.pods() if p["status"]["phase"] == "Running" and "deletionTimestamp" not in p["metadata"]
        ]
        if running:
            run.finish(running[0])
        return 0

    run.finish(run.running(0))
    assert collector(run, report).run() == 0

    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (1, 3)


def test_a_younger_collecting_job_takes_over(run):
    run.launch(cells=1)
    older = collector(run, lambda: pytest.fail("it should have left the report to the younger one"))
    run.finish(run.running(0), 0, commits=False)
    run.until_ended()
    run.until(lambda: now() > run.jobs(names.COLLECT)[0]["metadata"]["creationTimestamp"], "another second")
    run.launch(cells=1)

    assert len(run.jobs(names.COLLECT)) == 2
    assert older.run() == 0


def test_waiting_shows_the_run_and_ends_with_the_report(run, capsys):
    run.launch(cells=2)
    run.finish(run.running(0))
    failed(run, run.running(1), 43, "diverged", "cost is nan in epoch 1")
    run.until_ended()
    run.store.put(keys.report("lab"), b"<html>")
    run.kube.delete("Job", jobs.object_name(run.jobs(names.COLLECT)[0]))
    run.until(lambda: not run.jobs(names.COLLECT), "the collecting Job gone")
    capsys.readouterr()

    code = watch.watch_run(run.kube, run.store, run.launched())
    said = capsys.readouterr().out

    assert code == 1
    assert f"failed: {cell(1).id}: cost is nan in epoch 1" in said
    assert "1 of 2 cells done, 1 failed" in said
    assert said.splitlines()[-1] == f"report: {run.store.url}/reports/lab/index.html"


def test_trainer_jobs_whose_data_set_cannot_be_prepared_are_cancelled_while_somebody_watches(run):
    run.store.delete("datasets/digits.json")
    run.launch(cells=1)
    (prepare,) = run.jobs(names.PREPARE)
    pod = run.until(
        lambda: [
            p
            for p in run.kube.list("Pod", names.run_selector("lab", names.PREPARE))
            if p["status"]["phase"] == "Running"
        ],
        "its pod",
    )[0]
    ended = {"exitCode": 42, "reason": "Error", "startedAt": now(), "finishedAt": now()}
    change = {
        "status": {
            "phase": "Failed",
            "containerStatuses": [
                {
                    "name": "prepare",
                    "image": "i",
                    "imageID": "",
                    "ready": False,
                    "restartCount": 0,
                    "state": {"terminated": ended},
                }
            ],
        }
    }
    run.kube.request(
        "PATCH", f"{run.kube.path('Pod', jobs.object_name(pod))}/status", {}, change, "application/merge-patch+json"
    )
    run.until(
        lambda: jobs.true_condition(run.kube.get("Job", jobs.object_name(prepare)), "Failed"), "the preparation failed"
    )
    run.kube.delete("Job", jobs.object_name(run.jobs(names.COLLECT)[0]))

    assert watch.watch_run(run.kube, run.store, run.launched(), sleep=lambda _: None) == 1
    assert not [j for j in run.jobs() if not jobs.has_ended(j)]


def test_a_finished_run_with_two_failed_cells_gets_its_report_which_names_them(run):
    """The whole way of the collecting Job: its own command, the real aggregator, a page in the store."""
    run.launch("--retries", "0", cells=5)
    failed(run, run.running(1), 43, "diverged", "the cost of M is nan in epoch 2, step 3")
    run.finish(run.running(3), 137, reason="OOMKilled")
    for index in (0, 2, 4):
        run.finish(run.running(index))
    ended = run.until_ended()
    own = jobs.object_name(run.jobs(names.COLLECT)[0])
    command = [
        sys.executable,
        "-m",
        "k8s.collect",
        "--run",
        f"{run.store.url}/runs/lab",
        "--namespace",
        run.namespace,
        "--job",
        own,
    ]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert done.returncode == 0, done.stderr
    page = run.store.read(keys.report("lab")).decode()
    assert jobs.failed_indexes(ended) == {1, 3}
    assert cell(1).id in page
    assert cell(3).id in page
    assert "the cost of M is nan in epoch 2, step 3" in page
    assert "killed for want of memory" in page
