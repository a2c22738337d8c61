"""The verbs beside the launch, about a run on the real control plane."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from experiment import keys, records
from experiment.records import Failure, Progress
from k8s import cancel, cleanup, collect, logs, retry, status
from k8s.cluster import jobs, watch
from k8s.manifests import names
from tests.cluster.lab import cell, now
from tests.conftest import ROOT
from tests.made import commit

pytestmark = pytest.mark.cluster


def progress(lab, pod, epoch=1):
    """The word of the trainer in this pod."""
    record = Progress(cell=lab.cell_of(pod).id, attempt=pod["metadata"]["uid"], epoch=epoch, epochs=2, step=2, steps=4,
                      images_per_second=1234.0, seconds_left=75.0, time=now())  # fmt: skip
    lab.store.put(keys.progress(record.cell), records.to_bytes(record))


def failed(lab, pod, code, kind, message):
    """Ends a pod as the trainer does that fails and leaves a record."""
    uid = pod["metadata"]["uid"]
    record = Failure(cell=lab.cell_of(pod).id, attempt=uid, kind=kind, exit_code=code, message=message, time=now())
    lab.store.put_once(keys.failure(record.cell, uid), records.to_bytes(record), uid)
    lab.finish(pod, code)


def test_status_says_of_every_cell_how_it_is_doing(lab):
    lab.launch("--parallelism", "4", cells=6)
    pods = {i: lab.running(i) for i in range(4)}
    lab.finish(pods[0])
    failed(lab, pods[1], 43, "diverged", "cost is nan in epoch 1, step 7")
    lab.finish(pods[2], 137, reason="OOMKilled")
    progress(lab, pods[3])
    lab.until(lambda: jobs.completed(lab.job()) == {0} and jobs.failed(lab.job()) == {1}, "two ends")
    lab.until(lambda: len([p for p in lab.pods() if p["status"]["phase"] == "Running"]) == 3, "the next cells")

    code, text = lab.of_run(status.main)
    rows = {line.split()[0]: line for line in text.splitlines() if line.split() and line.split()[0].isdigit()}

    assert code == 0
    assert rows["0"].endswith("done")
    assert "failed        cost is nan in epoch 1, step 7" in rows["1"]
    assert "killed for want of memory: its limit is 12Gi (setting memory)" in rows["2"]
    assert "waiting" in rows["2"]
    assert "running       epoch 1/2, 1,234 images/s, 1 min 15 s left" in rows["3"]
    assert "running" in rows["4"]
    assert "run lab: 1 done, 3 running, 1 waiting, 1 failed" in text


def test_status_is_json_for_programs(lab):
    lab.launch(cells=2)
    lab.finish(lab.running(0))

    found = lab.until(
        lambda: (f := json.loads(lab.of_run(status.main, "--json")[1]))["counts"].get("done") and f, "a cell done"
    )

    assert found["run"] == "lab"
    assert [c["cell"] for c in found["cells"]] == [cell(0).id, cell(1).id]
    assert {j["part"] for j in found["jobs"]} == {"trainer", "collect"}


def test_status_counts_interruptions(lab):
    lab.launch(cells=1)
    pod = lab.running(0)
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": jobs.name(pod), "namespace": lab.namespace},
    }
    failed_before = Failure(
        cell=cell(0).id,
        attempt=pod["metadata"]["uid"],
        kind="interrupted",
        exit_code=143,
        message="told to stop",
        time=now(),
    )
    lab.store.put_once(keys.failure(cell(0).id, failed_before.attempt), records.to_bytes(failed_before), "a")
    lab.kube.request("POST", f"{lab.kube.path('Pod', jobs.name(pod))}/eviction", {}, body)
    lab.running(0, other_than=pod["metadata"]["uid"])

    text = lab.of_run(status.main)[1]

    assert "running       interrupted once" in text


def test_without_a_cluster_status_speaks_from_the_store(lab, monkeypatch):
    lab.launch(cells=2)
    commit(lab.store, cell(1))
    monkeypatch.setenv("KUBECONFIG", "absent")

    code, text = lab.of_run(status.main)

    assert code == 0
    assert "no cluster asked" in text
    assert "1 done, 1 not launched" in text


def test_cancel_stops_the_training_and_a_launch_goes_on(lab):
    lab.launch(cells=3)
    lab.finish(lab.running(0))
    lab.until(lambda: jobs.completed(lab.job()) == {0}, "a cell done")

    code, text = lab.of_run(cancel.main)
    lab.until(lambda: not lab.jobs() and not lab.pods(), "the Job and its pods gone")
    lab.launch(cells=3)

    assert code == 0
    assert "cancelled 1 Jobs" in text
    assert (
        len(lab.jobs(names.COLLECT)) == 2
    )  # each launch with new Jobs has its own; the older one leaves the run to it
    assert lab.job()["spec"]["completions"] == 2


def test_retry_trains_the_failed_cells_and_no_others(lab):
    lab.launch(cells=4)
    failed(lab, lab.running(1), 43, "diverged", "cost is nan")
    lab.finish(lab.running(2), 42)
    lab.until(lambda: jobs.failed(lab.job()) == {1, 2}, "two cells given up")

    unchanged = lab.launch(cells=4)[1]
    code, text = lab.of_run(retry.main, "--image", lab.job()["spec"]["template"]["spec"]["containers"][0]["image"],
                            "--aggregator-image", "r/a@sha256:" + "b" * 64, "--memory", "20Gi")  # fmt: skip
    first, second = lab.jobs()

    assert "1 cells failed for good; python -m k8s.retry --run" in unchanged or "2 cells failed for good" in unchanged
    assert code == 0
    assert [line for line in text.splitlines() if line.startswith("again: ")] == [
        f"again: {cell(i).id}" for i in (1, 2)
    ]
    assert [lab.cell_of(lab.running(i, job=jobs.name(second))).seed for i in range(2)] == [1, 2]
    assert second["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] == "20Gi"
    assert "no cell of run lab has failed" in lab.of_run(retry.main)[1]
    lab.finish_all(jobs.name(second))
    lab.finish_all(jobs.name(first))
    assert "4 done" in lab.of_run(status.main)[1]


def test_cleanup_removes_finished_jobs_and_spent_checkpoints_and_no_result(lab):
    lab.launch(cells=2)
    for seed in (0, 1):
        lab.store.put(keys.checkpoint(cell(seed).id, 5), b"weights")
    lab.finish(lab.running(0))
    lab.finish(lab.running(1), 42)
    lab.until_ended()

    code, text = lab.of_run(cleanup.main)

    assert code == 0
    assert "removed 1 Jobs and 1 objects" in text
    lab.until(lambda: not lab.jobs() and not lab.pods(), "the Job and its pods gone")
    assert len(lab.jobs(names.COLLECT)) == 1
    assert list(lab.store.list("checkpoints/")) == [keys.checkpoint(cell(1).id, 5)]
    assert lab.store.exists(keys.epochs(cell(0)))


def test_logs_come_from_the_store_where_the_pod_cannot_give_them(lab):
    lab.launch(cells=1)
    lab.store.put(keys.log(cell(0).id, "earlier"), b'{"message": "hello"}\n')

    assert 'attempt earlier\n{"message": "hello"}' in lab.of_run(logs.main, "--cell", cell(0).id[:12])[1]
    code, text = lab.of_run(logs.main, "--cell", "digits-l2")
    assert (code, "did you mean" in text or "see python" in text) == (42, True)


def collector(lab, report):
    return collect.Collector(kube=lab.kube, store=lab.store, frozen=lab.frozen(), report=report, refresh=0, poll=0.5,
                             own=jobs.name(lab.jobs(names.COLLECT)[-1]))  # fmt: skip


def test_the_collecting_job_writes_down_what_killed_pods_could_not_and_reports_whatever_failed(lab):
    lab.launch("--retries", "0", cells=3)
    lab.finish(lab.running(0), 137, reason="OOMKilled")
    failed(lab, lab.running(1), 43, "diverged", "cost is nan")
    lab.finish(lab.running(2))
    lab.until_ended()
    made = []

    assert collector(lab, lambda: made.append(1) or 0).run() == 0

    written = [records.parse_record(lab.store.read(k), k) for k in lab.store.list(keys.FAILURES)]
    assert sorted((f.cell, f.kind) for f in written) == [(cell(0).id, "error"), (cell(1).id, "diverged")]
    assert len(made) == 1


def test_the_report_is_refreshed_as_cells_land_and_finished_when_the_jobs_have_ended(lab):
    lab.launch(cells=3)
    seen = []

    def report():
        seen.append(len(list(lab.store.list("results/"))))
        running = [
            p for p in lab.pods() if p["status"]["phase"] == "Running" and "deletionTimestamp" not in p["metadata"]
        ]
        if running:
            lab.finish(running[0])
        return 0

    lab.finish(lab.running(0))
    assert collector(lab, report).run() == 0

    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (1, 3)


def test_a_younger_collecting_job_takes_over(lab):
    lab.launch(cells=1)
    older = collector(lab, lambda: pytest.fail("it should have left the report to the younger one"))
    lab.finish(lab.running(0), 0, commits=False)
    lab.until_ended()
    lab.until(lambda: now() > lab.jobs(names.COLLECT)[0]["metadata"]["creationTimestamp"], "another second")
    lab.launch(cells=1)

    assert len(lab.jobs(names.COLLECT)) == 2
    assert older.run() == 0


def test_waiting_shows_the_run_and_ends_with_the_report(lab, capsys):
    lab.launch(cells=2)
    lab.finish(lab.running(0))
    failed(lab, lab.running(1), 43, "diverged", "cost is nan in epoch 1")
    lab.until_ended()
    lab.store.put(keys.report("lab"), b"<html>")
    lab.kube.delete("Job", jobs.name(lab.jobs(names.COLLECT)[0]))
    lab.until(lambda: not lab.jobs(names.COLLECT), "the collecting Job gone")
    capsys.readouterr()

    code = watch.wait(lab.kube, lab.store, lab.frozen())
    said = capsys.readouterr().out

    assert code == 1
    assert f"failed: {cell(1).id}: cost is nan in epoch 1" in said
    assert "1 of 2 cells done, 1 failed" in said
    assert said.splitlines()[-1] == f"report: {lab.store.url}/reports/lab/index.html"


def test_trainer_jobs_whose_data_set_cannot_be_prepared_are_cancelled_while_somebody_watches(lab):
    lab.store.delete("datasets/digits.json")
    lab.launch(cells=1)
    (prepare,) = lab.jobs(names.PREPARE)
    pod = lab.until(
        lambda: [
            p for p in lab.kube.list("Pod", names.selector("lab", names.PREPARE)) if p["status"]["phase"] == "Running"
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
    lab.kube.request(
        "PATCH", f"{lab.kube.path('Pod', jobs.name(pod))}/status", {}, change, "application/merge-patch+json"
    )
    lab.until(lambda: jobs.condition(lab.kube.get("Job", jobs.name(prepare)), "Failed"), "the preparation failed")
    lab.kube.delete("Job", jobs.name(lab.jobs(names.COLLECT)[0]))

    assert watch.wait(lab.kube, lab.store, lab.frozen(), sleep=lambda _: None) == 1
    assert not [j for j in lab.jobs() if not jobs.finished(j)]


def test_a_finished_run_with_two_failed_cells_gets_its_report_which_names_them(lab):
    """The whole way of the collecting Job: its own command, the real aggregator, a page in the store."""
    lab.launch("--retries", "0", cells=5)
    failed(lab, lab.running(1), 43, "diverged", "the cost of M is nan in epoch 2, step 3")
    lab.finish(lab.running(3), 137, reason="OOMKilled")
    for index in (0, 2, 4):
        lab.finish(lab.running(index))
    ended = lab.until_ended()
    own = jobs.name(lab.jobs(names.COLLECT)[0])
    command = [
        sys.executable,
        "-m",
        "k8s.collect",
        "--run",
        f"{lab.store.url}/runs/lab",
        "--namespace",
        lab.namespace,
        "--job",
        own,
    ]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert done.returncode == 0, done.stderr
    page = lab.store.read(keys.report("lab")).decode()
    assert jobs.failed(ended) == {1, 3}
    assert cell(1).id in page
    assert cell(3).id in page
    assert "the cost of M is nan in epoch 2, step 3" in page
    assert "killed for want of memory" in page
