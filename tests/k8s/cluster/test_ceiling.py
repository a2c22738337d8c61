"""A run that has taken its max_dollars is ended: with the reason, once, and so that it can go on."""

from __future__ import annotations

import pytest

from experiment import keys, records, spending
from experiment.assignment import Assignment
from experiment.run import read_run
from experiment.spending import Spent
from k8s.cluster.ceiling import Guard, ending_change, find_ceiling
from k8s.cluster.connect import connect_cluster
from k8s.manifests import jobs, names
from tests.k8s.api_server import merge
from tests.k8s.cluster_objects import GRID, NOW, job, pod

JOB = "r-digits-123456"
FAILED = [{"type": "Failed", "status": "True"}]
RUNNING = [pod(0, startTime="2026-11-01T10:00:00Z")]  # for two hours


def trainer(name=JOB, price="3", ceiling="5", queue="", **status):
    made = job(name, **status)
    told = {names.PRICE: price, names.CEILING: ceiling}
    made["metadata"]["annotations"] = {k: v for k, v in told.items() if v}
    made["metadata"]["labels"] |= {names.DATASET: "digits"} | ({names.QUEUE: queue} if queue else {})
    return made


@pytest.fixture
def hold(api, launched):
    """Holds the run ``mine`` to its ceiling once."""
    run = read_run(launched, "mine")

    def once(guard, found, pods=RUNNING):
        for one in found:
            api.add("jobs", one)
        with connect_cluster("", "ensembles", answer_seconds=0, outage_seconds=0) as kube:
            return guard.hold(kube, launched, run, found, pods)

    return once


def held(api, name=JOB):
    return api.objects[f"/apis/batch/v1/namespaces/ensembles/jobs/{name}"]


def test_the_ceiling_is_the_highest_of_unfinished_jobs_and_one_without_lifts_it():
    assert find_ceiling([]) == 0
    assert find_ceiling([trainer(), trainer("b", ceiling="7"), trainer("c", ceiling="9", conditions=FAILED)]) == 7
    assert find_ceiling([trainer(), trainer("b", ceiling="")]) == 0
    assert find_ceiling([trainer(ceiling="much")]) == 0


def test_at_its_ceiling_the_run_is_ended_with_the_reason_and_what_to_do(api, hold):
    guard = Guard(now=lambda: NOW)
    waiting = trainer("waits", spec={"suspend": True})
    waiting["metadata"]["annotations"][names.WAITS_FOR] = "r/r-prepare-digits"
    over = trainer("over", conditions=[{"type": "Complete", "status": "True"}])

    lines = hold(guard, [trainer(), waiting, over])

    assert guard.reached
    assert [line.partition(":")[0] for line in lines] == [f"ended {JOB}", "ended waits"]
    assert "the run has taken $6.00, and its max_dollars is $5.00" in lines[0]
    for name in (JOB, "waits"):
        assert held(api, name)["spec"]["activeDeadlineSeconds"] == 1
        assert jobs.stop_reason(held(api, name)).endswith(
            "launch the run again with a higher --max-dollars, and it goes on"
        )
    assert held(api, "waits")["spec"]["suspend"] is False and held(api, "waits")["spec"]["parallelism"] == 0
    assert jobs.waits_for(held(api, "waits")) == ""
    assert "activeDeadlineSeconds" not in held(api, "over")["spec"]
    assert hold(guard, [held(api), held(api, "waits"), over]) == []  # they end; nothing is left to do


@pytest.mark.parametrize("ceiling", ["", "6.01"])
def test_below_it_or_without_one_nothing_is_done(api, hold, ceiling):
    guard = Guard(now=lambda: NOW)

    assert hold(guard, [trainer(ceiling=ceiling)]) == []
    assert not guard.reached
    assert jobs.stop_reason(held(api)) == ""


def test_what_was_taken_before_counts_and_a_damaged_record_is_named(api, hold, launched):
    earlier = Spent(job="earlier", dataset="digits", price=1.0, seconds=3600.0)
    launched.put(keys.report("mine", keys.SPENT), spending.spent_to_bytes([earlier]))
    guard = Guard(now=lambda: NOW)
    hold(guard, [trainer(ceiling="6.5")])
    assert guard.reached

    launched.put(keys.report("mine", keys.SPENT), b"{}")
    (line,) = hold(Guard(now=lambda: NOW), [trainer(ceiling="6.5")])
    assert line.startswith("what the run has taken so far is unknown: ") and "remove it" in line


def test_the_collecting_job_records_what_was_taken_now_and_then_and_at_the_end(hold, launched):
    times = [0.0]
    guard = Guard(writes=True, now=lambda: NOW, clock=lambda: times[0])

    def recorded(found, pods, seconds):
        times[0] = seconds
        hold(guard, found, pods)
        return [s.seconds for s in spending.read_spent(launched, "mine")]

    two = [*RUNNING, pod(1, uid="v", startTime="2026-11-01T11:00:00Z")]
    assert recorded([trainer(ceiling="")], RUNNING, 0) == [7200]
    assert recorded([trainer(ceiling="")], two, 59) == [7200]
    assert recorded([trainer(ceiling="")], two, 61) == [10800]
    third = [*two, pod(2, uid="w", startTime="2026-11-01T11:00:00Z")]
    assert recorded([trainer(ceiling="", conditions=FAILED)], third, 62) == [14400]


def test_whoever_may_not_write_reports_writes_nothing(hold, launched, monkeypatch):
    monkeypatch.setattr(launched, "put", lambda *_: pytest.fail("written"))

    hold(Guard(now=lambda: NOW), [trainer()])


def test_a_job_that_only_its_queue_may_start_is_removed_and_its_cells_say_why(api, hold, launched):
    queued = trainer("queued", queue="gpus", spec={"suspend": True})
    launched.put(keys.assignment("mine", "queued"), Assignment(run="mine", job="queued", indexes=(0, 1)).to_bytes())

    assert [line.partition(" ")[2].partition(":")[0] for line in hold(Guard(now=lambda: NOW), [trainer(), queued])] == [
        JOB
    ]
    lines = hold(Guard(writes=True, now=lambda: NOW), [trainer(), queued])

    assert [line.partition(":")[0] for line in lines] == [f"ended {JOB}", "removed queued"]
    assert "queued" not in api.names("jobs")
    (written,) = (records.parse_record(launched.read(k), k) for k in launched.list(keys.FAILURES))
    assert (written.cell, written.kind, written.exit_code) == (GRID.cells[0].id, "interrupted", 143)  # cell 1 is done
    assert "its max_dollars is $5.00" in written.message


def test_who_may_not_end_a_job_says_so(api, hold):
    api.refusal = (403, "jobs.batch is forbidden: User cannot patch resource")
    (line,) = hold(Guard(now=lambda: NOW), [trainer()])

    assert line.startswith(f"{JOB} could not be ended: the API server refuses") and line.endswith(
        "max_dollars is $5.00"
    )


def test_a_suspended_job_starts_without_a_pod_to_end():
    waiting = merge(trainer(spec={"suspend": True}), ending_change(trainer(spec={"suspend": True}), "why"))

    assert waiting["spec"]["suspend"] is False
    assert waiting["spec"]["parallelism"] == 0
