"""Several cells a pod on the real control plane: the trainer's own pool, whose workers are played."""

from __future__ import annotations

import argparse
import io
import threading

import pytest

from experiment import keys, records
from experiment.assignment import read_assignment
from experiment.errors import Diverged, ExperimentError
from experiment.outage import Patience
from experiment.places import Place
from experiment.records import Failure, Outcome
from k8s import retry, status
from k8s.manifests import jobs
from tests.cluster.simulated_run import SimulatedRun, cell, now
from tests.cluster.test_collect import collector
from tests.factories import commit, put_progress
from tests.k8s.factories import AGGREGATOR, IMAGE
from trainer import stalling
from trainer.pool import Pool

pytestmark = pytest.mark.cluster
FOUR = ("--cells-per-pod", "4")
IMAGES = ("--image", IMAGE, "--aggregator-image", AGGREGATOR)


class PlayedWorker(argparse.Namespace):
    """Commits cells, but those that diverge."""

    def train(self, index, show):
        own = self.run.launched().grid.cells[index]
        self.tried.append(own.seed)
        if own.seed in self.diverging:
            leave_record(self.run, own.id, self.uid, "cost is nan")
            return Outcome(index=index, cell=own.id, state="failed", kind=Diverged.kind, message="cost is nan")
        state = "committed" if commit(self.run.store, own, self.uid) else "found"
        return Outcome(index=index, cell=own.id, state=state)

    def stop(self):
        """It is never told."""

    def end(self):
        """It has nothing to end."""


def leave_record(run, cell_id, attempt, message):
    record = Failure(cell=cell_id, attempt=attempt, kind="diverged", exit_code=43, message=message, time=now())
    run.store.put_once(keys.failure(cell_id, attempt), records.to_bytes(record), attempt)


def play(run: SimulatedRun, pod: dict, diverging=()) -> list[int]:
    """Does in a pod what its trainer does, and ends it with the exit code; returns the seeds of the cells that it tried."""
    tried, uid = [], pod["metadata"]["uid"]
    launched = run.launched()
    own = [launched.grid.cells.index(c) for c in run.cells_of(pod)]
    crew = Pool(
        store=run.store,
        run=launched,
        places=[Place(name="cpu0")],
        start=lambda _: PlayedWorker(run=run, uid=uid, tried=tried, diverging=diverging),
        name_try=lambda: uid,
        stop=threading.Event(),
        out=io.StringIO(),
        patience=Patience(seconds=0, say=print),
    )
    for rank, indexes in enumerate(stalling.sort_cells(run.store, launched, own)):
        crew.add(indexes, rank)
    crew.close()
    try:
        code = crew.train()
    except ExperimentError as error:
        code = error.exit_code
    run.end_container(pod, "trainer", code)
    return tried


def test_a_grid_of_which_a_pod_trains_four_cells_ends_complete(run):
    run.launch(*FOUR, cells=8)
    job = run.job()
    assert job["spec"]["completions"] == 2

    again = run.launch(*FOUR, cells=8)
    other = run.launch(cells=8)
    tried = [play(run, run.running(index)) for index in range(2)]

    assert (again[0], len(run.jobs())) == (0, 1)
    assert other[0] == 42 and "is active with other settings" in other[1]
    assert sorted(seed for seeds in tried for seed in seeds) == list(range(8))
    assert jobs.true_condition(run.until_ended(), "Complete")
    assert collector(run, lambda: 0).collect() == 0
    assert "run lab: 8 done" in run.of_run(status.main)[1]


def test_a_pod_that_is_evicted_half_way_costs_no_cell_and_no_retry(run):
    run.launch(*FOUR, "--retries", "0", cells=4)
    first = run.running(0)
    for seed in (0, 1):
        commit(run.store, cell(seed), first["metadata"]["uid"])
    stalling.record_start(run.store, cell(2), first["metadata"]["uid"], 0)
    eviction = {"name": jobs.object_name(first), "namespace": run.namespace}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": eviction}
    run.kube.request("POST", f"{run.kube.path('Pod', jobs.object_name(first))}/eviction", {}, body)

    tried = play(run, run.running(0, other_than=first["metadata"]["uid"]))

    assert tried == [3, 2]  # last the one that was in training
    ended = run.until_ended()
    assert jobs.true_condition(ended, "Complete")
    assert "run lab: 4 done" in run.of_run(status.main)[1]


def test_a_cell_that_can_never_work_leaves_the_others_of_its_pod_and_is_retried_alone(run):
    run.launch(*FOUR, "--retries", "0", cells=4)

    tried = play(run, run.running(0), diverging={1})

    assert tried == [0, 1, 2, 3]
    assert jobs.true_condition(run.until_ended(), "Complete")
    text = run.of_run(status.main)[1]
    assert "run lab: 3 done, 1 failed" in text
    assert "failed        cost is nan" in text
    assert len(run.jobs()) == 1
    run.launch(*FOUR, cells=4)
    assert len(run.jobs()) == 1

    code, said = run.of_run(retry.main, *FOUR, "--yes", *IMAGES)
    run.start_prepared()
    assert code == 0 and f"again: {cell(1).id}" in said
    following = run.jobs()[-1]
    assert read_assignment(run.store, run.name, jobs.object_name(following)).groups == ((1,),)
    assert play(run, run.running(0, job=jobs.object_name(following))) == [1]
    run.until_ended(jobs.object_name(following))
    assert "run lab: 4 done" in run.of_run(status.main)[1]


def test_a_cell_that_failed_for_good_in_a_pod_that_still_trains_others_is_retried_later(run):
    run.launch(*FOUR, cells=4)
    pod = run.running(0)
    uid = pod["metadata"]["uid"]
    commit(run.store, cell(0), uid)
    leave_record(run, cell(1).id, uid, "cost is nan")
    put_progress(run.store, cell(2), uid)

    text = run.of_run(status.main)[1]
    code, said = run.of_run(retry.main, *FOUR, "--yes", *IMAGES)

    rows = {line.split()[0]: line for line in text.splitlines() if line.split() and line.split()[0].isdigit()}
    assert rows["0"].endswith("done")
    assert "failed        cost is nan" in rows["1"]
    assert "running       epoch 1/2" in rows["2"]
    assert "waiting       waits for its turn in its pod" in rows["3"]
    assert code == 0 and f"not yet: {cell(1).id}" in said
    assert len(run.jobs()) == 1
