"""The runs of a store, one line each, as far as store and cluster tell."""

from __future__ import annotations

import dataclasses

import pytest

from experiment import keys, records
from experiment.run import Run
from k8s.cluster import runs
from k8s.manifests import names
from tests.factories import commit
from tests.k8s.cluster_objects import GRID, NOW, job, progress

OLD, NEW = {"time": "2026-11-01T09:00:00+00:00"}, {"time": "2026-11-01T10:00:00+00:00"}


@pytest.fixture
def store(launched):
    """A store with the run ``mine`` of four cells, one of them done, and a later run ``part`` of that cell and another."""
    two = dataclasses.replace(GRID, name="two", cells=GRID.cells[1:3])
    launched.put(keys.grid("part"), Run(name="part", grid=two, provenance=NEW).to_bytes())
    launched.put(keys.grid("mine"), Run(name="mine", grid=GRID, provenance=OLD).to_bytes())
    return launched


def of_run(store, name, **status):
    made = job(f"{name}-digits", **status)
    made["metadata"]["annotations"] = {names.RUN_URL: f"{store.url}/runs/{name}"}
    return made


def states(store, found):
    listed, problems = runs.list_runs(store, found, NOW)
    assert problems == []
    return {s.run: s for s in listed}


def test_runs_come_in_the_order_of_their_launch_with_their_counts(store):
    found = states(store, None)

    assert list(found) == ["mine", "part"]
    assert [(s.done, s.cells, s.state, s.jobs) for s in found.values()] == [
        (1, 4, "stopped", None),
        (1, 2, "stopped", None),
    ]
    assert runs.format_runs(list(found.values())) == [
        "mine  stopped  1 of 4 cells done, no report, grid smoke, launched 2026-11-01T09:00:00+00:00",
        "part  stopped  1 of 2 cells done, no report, grid two, launched 2026-11-01T10:00:00+00:00",
    ]


def test_a_run_with_progress_runs_and_one_with_unfinished_jobs_waits(store):
    running = GRID.cells[0].id
    store.put(keys.progress(running), records.to_bytes(progress(running, time="2026-11-01T11:59:30+00:00")))
    late = GRID.cells[2].id
    store.put(keys.progress(late), records.to_bytes(progress(late, time="2026-11-01T11:00:00+00:00")))
    foreign = of_run(store, "part")
    foreign["metadata"]["annotations"][names.RUN_URL] = "s3://other/runs/part"
    ended = of_run(store, "part", conditions=[{"type": "Complete", "status": "True"}])

    found = states(store, [of_run(store, "mine"), of_run(store, "part"), foreign, ended])

    assert [(s.state, s.running, s.jobs) for s in found.values()] == [("running", 1, 1), ("waiting", 0, 1)]
    assert "1 running, 1 unfinished Jobs, no report" in runs.format_runs([found["mine"]])[0]


def test_a_run_whose_cells_are_all_there_is_done_whoever_trained_them(store):
    commit(store, GRID.cells[2])
    store.put(keys.report("part"), b"<html>")

    part = states(store, [])["part"]

    assert (part.state, part.reported) == ("done", True)
    assert "report" not in runs.format_runs([part])[0]


def test_a_run_that_cannot_be_read_is_named_and_the_others_are_shown(store):
    store.put(keys.grid("torn"), b"{")

    listed, (problem,) = runs.list_runs(store, None, NOW)

    assert [s.run for s in listed] == ["mine", "part"]
    assert problem.key == keys.grid("torn") and "is not a frozen grid" in problem.reason
