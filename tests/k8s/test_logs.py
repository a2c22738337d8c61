"""A cell's logs are found by its id, the beginning of its id, or its index."""

from __future__ import annotations

import pytest

from experiment import keys
from k8s import logs
from k8s.logs import find_cell, pods_of_cell
from tests.k8s.cluster_objects import GRID, RUN, pod, view_of


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
