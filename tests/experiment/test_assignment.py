"""The list of a Job's cells survives its way through the store, and nothing else passes for one."""

import json

import pytest

from experiment import keys
from experiment.assignment import Assignment, read_assignment
from experiment.errors import InvalidInput, NotFound
from experiment.store import LocalStore

JOB = Assignment(run="r", job="r-mnist-abc123", indexes=(4, 0, 7))


@pytest.fixture
def store(tmp_path):
    store = LocalStore(tmp_path)
    store.put_once(keys.assignment("r", JOB.job), JOB.to_bytes(), "a")
    return store


def test_every_index_of_a_job_leads_to_its_cell(store):
    found = read_assignment(store, "r", JOB.job)

    assert [found.grid_index(i) for i in range(3)] == [4, 0, 7]


@pytest.mark.parametrize("index", [-1, 3])
def test_an_index_outside_the_job_is_refused(index):
    with pytest.raises(InvalidInput, match="0 to 2"):
        JOB.grid_index(index)


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
