"""A cell's logs are found by its id, the beginning of its id, or its index."""

from __future__ import annotations

import dataclasses

import pytest

from experiment import keys
from experiment.assignment import Assignment
from k8s import logs
from k8s.logs import find_cell, pods_of_cell
from k8s.manifests import names
from tests.k8s.cluster_objects import GRID, GROUPED, JOB, RUN, pod, view_of


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (GRID.cells[2].id.replace("l2", "l3"), "did you mean 'digits-l"),
        ("digits", "the ids of 4 cells begin so"),
        ("9", "see python -m k8s.status"),
        ("", "see python -m k8s.status"),
    ],
)
def test_a_cell_that_is_not_one_is_refused(launched, capsys, wanted, said):
    assert logs.main(["--run", f"{launched.url}/runs/mine", "--cell", wanted]) == 42
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("wanted", [GRID.cells[2].id, GRID.cells[2].id[:11], "2"], ids=["id", "beginning", "index"])
def test_a_cells_logs_are_found_by_id_its_beginning_or_index(launched, capsys, wanted):
    launched.put(keys.log(GRID.cells[2].id, "one"), b"first\n")
    launched.put(keys.log(GRID.cells[2].id, "two"), b"second\n")

    assert find_cell(RUN, wanted) == 2
    assert logs.main(["--run", f"{launched.url}/runs/mine", "--cell", wanted]) == 0
    assert capsys.readouterr().out.splitlines()[1::2] == ["first", "second"]


def test_the_pods_of_a_cell_are_those_of_its_place_in_its_job_oldest_first():
    younger, older, other = pod(0, "b", created="2026-11-01T11:00:09Z"), pod(0, "a"), pod(1)

    assert pods_of_cell(view_of(pods=[younger, other, older]), 3) == [older, younger]
    grouped = dataclasses.replace(view_of(pods=[younger, other, older]), assignments=GROUPED)
    assert [pods_of_cell(grouped, i) for i in (3, 1, 0)] == [[older, younger], [older, younger], [other]]


def add_pod(api, name, part, *containers, phase="Running", **labels):
    """A pod of run ``mine``, whose containers have each written a line with their name."""
    own = {**names.run_labels("mine", part), **labels}
    metadata = {"name": name, "uid": f"u-{name}", "labels": own}
    status = {"phase": phase}
    spec = {"initContainers": [], "containers": [{"name": c} for c in containers]}
    api.add("pods", {"metadata": metadata, "spec": spec, "status": status}, group="/api/v1")
    api.logs |= {(name, c): f"2026-11-01T11:00:00Z {c} of {name}\n" for c in containers}


def add_job(api, name, part, **status):
    metadata = {"name": name, "labels": names.run_labels("mine", part)}
    api.add("jobs", {"metadata": metadata, "spec": {"completions": 1}, "status": status})


def test_every_container_of_a_cells_pods_is_shown_under_its_name(api, launched, capsys):
    launched.put(keys.assignment("mine", JOB), Assignment(run="mine", job=JOB, indexes=(2,)).to_bytes())
    launched.put(keys.log(GRID.cells[2].id, "gone"), b"stored\n")
    add_job(api, JOB, names.TRAINER)
    add_pod(api, "p", names.TRAINER, names.AWAIT, "trainer", **{names.JOB: JOB, names.INDEX: "0"})

    assert logs.main(["--run", f"{launched.url}/runs/mine", "--cell", "2"]) == 0

    cell = GRID.cells[2].id
    assert capsys.readouterr().out.splitlines() == [
        f"==> {cell}, attempt gone",
        "stored",
        f"==> {cell}, attempt u-p, container {names.AWAIT}",
        f"{names.AWAIT} of p",
        f"==> {cell}, attempt u-p",
        "trainer of p",
    ]


def test_the_logs_of_another_part_are_followed_until_its_jobs_have_ended(api, launched, capsys, monkeypatch):
    add_job(api, "mine-prepare-digits", names.PREPARE)
    add_pod(api, "q", names.PREPARE, "prepare")
    add_pod(api, "c", names.COLLECT, "collect")

    def write_more_and_end(_):
        api.logs["q", "prepare"] += "2026-11-01T11:00:05Z done\n"
        add_job(api, "mine-prepare-digits", names.PREPARE, conditions=[{"type": "Complete", "status": "True"}])

    monkeypatch.setattr(logs.time, "sleep", write_more_and_end)

    assert logs.main(["--run", f"{launched.url}/runs/mine", "--part", "prepare", "--follow"]) == 0
    assert capsys.readouterr().out.splitlines() == ["==> pod q", "prepare of q", "done"]


def test_a_cell_of_a_part_that_has_none_is_refused(launched, capsys):
    assert logs.main(["--run", f"{launched.url}/runs/mine", "--part", "collect", "--cell", "2"]) == 42
    assert "--cell with --part collect" in capsys.readouterr().err
