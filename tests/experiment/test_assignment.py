"""The list of a Job's cells survives its way through the store, and nothing else passes for one."""

import dataclasses
import json

import pytest

from experiment import keys
from experiment.assignment import ASSIGNMENT_FORM, Assignment, read_assignment, resolve_indexes
from experiment.errors import InvalidInput, NotFound
from experiment.grid import load_grid
from experiment.run import Run
from experiment.store import LocalStore

JOB = Assignment(run="r", job="r-mnist-abc123", indexes=(4, 0, 7))


@pytest.fixture
def store(tmp_path):
    store = LocalStore(tmp_path)
    store.put_once(keys.assignment("r", JOB.job), JOB.to_bytes(), "a")
    return store


def test_every_index_of_a_job_leads_to_its_cell(store):
    found = read_assignment(store, "r", JOB.job)

    assert [found.group_of(i) for i in range(3)] == [(4,), (0,), (7,)]


@pytest.mark.parametrize("index", [-1, 3])
def test_an_index_outside_the_job_is_refused(index):
    with pytest.raises(InvalidInput, match="0 to 2"):
        JOB.group_of(index)


def test_a_job_of_groups_leads_each_index_to_its_cells_and_survives_the_store():
    grouped = dataclasses.replace(JOB, indexes=(4, 0, 7, 2, 9), sizes=(2, 2, 1), namespace="lab")

    assert grouped.groups == ((4, 0), (7, 2), (9,))
    assert grouped.group_of(1) == (7, 2)
    assert Assignment.from_bytes(grouped.to_bytes(), "list") == grouped
    assert b"indexes" not in grouped.to_bytes()  # a version that knows of no groups must not read them as single cells
    with pytest.raises(InvalidInput, match="allowed: 0 to 2"):
        grouped.group_of(3)


@pytest.mark.parametrize("sizes", [(2,), (3, 1), (3, 0), (True, 2), (-1, 4)])
def test_groups_that_do_not_add_up_to_the_cells_are_refused(sizes):
    with pytest.raises(InvalidInput, match="counts above 0 of its 3 cells"):
        dataclasses.replace(JOB, sizes=sizes)


@pytest.mark.parametrize("groups", [[], [[]], [[0], 1], [["0"]], "ab", {"a": 1}])
def test_groups_that_are_none_are_refused(groups):
    body = ASSIGNMENT_FORM.to_bytes({"run": "r", "job": "j", "groups": groups})

    with pytest.raises(InvalidInput):
        Assignment.from_bytes(body, "there")


def test_a_completion_index_stands_for_the_cells_of_its_group_and_without_a_job_for_one_of_the_grid(store):
    run = Run(name="r", grid=load_grid("smoke"))
    grouped = Assignment(run="r", job="g", indexes=(3, 1, 0), sizes=(2, 1))
    store.put_once(keys.assignment("r", "g"), grouped.to_bytes(), "a")

    assert [resolve_indexes(store, run, i, "g") for i in (0, 1)] == [(3, 1), (0,)]
    assert resolve_indexes(store, run, 2, None) == (2,)
    for index, job in ((len(run.grid.cells), None), (1, JOB.job + "x")):
        with pytest.raises((InvalidInput, NotFound)):
            resolve_indexes(store, run, index, job)


@pytest.mark.parametrize("indexes", [(), (1, 1), (-1,), ("0",), (True,)])
def test_an_impossible_list_is_refused(indexes):
    with pytest.raises(InvalidInput, match="different grid indexes"):
        Assignment(run="r", job="j", indexes=indexes)


def test_damage_is_seen():
    body = json.loads(JOB.to_bytes())
    body["indexes"][0] = 5

    with pytest.raises(InvalidInput, match="damaged"):
        Assignment.from_bytes(json.dumps(body).encode(), "there")
    with pytest.raises(InvalidInput, match="not a Job's list"):
        Assignment.from_bytes(b"[]", "there")


def test_a_list_under_another_jobs_name_is_refused(store):
    store.put_once(keys.assignment("r", "other"), JOB.to_bytes(), "a")

    with pytest.raises(InvalidInput, match="belongs to job r-mnist-abc123"):
        read_assignment(store, "r", "other")
    with pytest.raises(NotFound):
        read_assignment(store, "r", "absent")


def test_the_key_of_a_list_names_its_job():
    assert keys.job_of(keys.assignment("r", JOB.job)) == JOB.job
    assert keys.job_of(keys.grid("r")) is None


def test_the_key_of_a_data_sets_manifest_names_it():
    assert keys.dataset_of(keys.dataset_manifest("mnist")) == "mnist"
    assert keys.dataset_of(keys.dataset("mnist", "0" * 64)) is None


def test_the_key_of_a_frozen_grid_names_its_run():
    assert keys.run_of(keys.grid("r")) == "r"
    assert keys.run_of(keys.assignment("r", "j")) is None


def test_the_namespace_is_kept_and_a_list_of_an_older_version_has_none():
    placed = dataclasses.replace(JOB, namespace="lab")

    assert Assignment.from_bytes(placed.to_bytes(), "list") == placed
    assert b"namespace" not in JOB.to_bytes()
    assert Assignment.from_bytes(JOB.to_bytes(), "list").namespace == ""
