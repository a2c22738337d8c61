"""Which Jobs a launch needs: only for cells that nobody is at, and never twice."""

from __future__ import annotations

from experiment.grid import load_grid
from k8s.manifests import names
from k8s.planning.jobs_needed import Existing, find_needed_jobs

GRID = load_grid("full")
CELLS = range(len(GRID.cells))


def live(assignment, part=names.TRAINER, **status):
    """A Job of the cluster."""
    dataset = GRID.cells[assignment.indexes[0]].dataset if assignment else "mnist"
    labels = {**names.run_labels("r", part), names.DATASET: dataset}
    return {
        "metadata": {"name": assignment.job if assignment else "other", "labels": labels},
        "spec": {},
        "status": status,
    }


COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}
FAILED = {"conditions": [{"type": "Failed", "status": "True"}]}


def scene(first, **status):
    return Existing(
        jobs=[live(a, **status) for a in first.trainers],
        assignments={a.job: a for a in first.trainers},
        prepared=["mnist", "cifar10", "notmnist"],
    )


def first():
    return find_needed_jobs("r", GRID, CELLS, Existing())


def test_every_missing_cell_is_in_exactly_one_job_of_its_data_set():
    found = first()

    assert sorted(i for a in found.trainers for i in a.indexes) == list(CELLS)
    for a in found.trainers:
        assert len({GRID.cells[i].dataset for i in a.indexes}) == 1
    assert set(found.prepare.values()) == {"mnist", "cifar10", "notmnist"}
    assert found.collect


def test_cells_in_the_hands_of_active_jobs_are_not_launched_again():
    again = find_needed_jobs("r", GRID, CELLS, scene(first()))

    assert again.trainers == ()
    assert set(again.active) == set(CELLS)


def test_cells_that_a_job_gave_up_are_left_to_retry():
    before = first()
    gone = [a.indexes[0] for a in before.trainers]
    found = scene(before, failedIndexes="0", **FAILED)

    assert sorted(find_needed_jobs("r", GRID, gone, found).given_up) == sorted(gone)
    assert find_needed_jobs("r", GRID, gone, found).trainers == ()
    assert sorted(
        i for a in find_needed_jobs("r", GRID, gone, found, again=True).trainers for i in a.indexes
    ) == sorted(gone)


def test_cells_that_an_ended_job_never_reached_or_only_claimed_to_have_done_are_launched_under_a_new_name():
    before = first()

    for status in ({**FAILED}, {"completedIndexes": "0-12", **COMPLETE}):
        again = find_needed_jobs("r", GRID, CELLS, scene(before, **status))

        assert sorted(i for a in again.trainers for i in a.indexes) == list(CELLS)
        assert not {a.job for a in again.trainers} & {a.job for a in before.trainers}


def test_a_preparation_in_progress_is_not_doubled_and_a_failed_one_is_repeated():
    going = [live(None, names.PREPARE)]
    assert "mnist" not in find_needed_jobs("r", GRID, CELLS, Existing(jobs=going)).prepare.values()

    failed = [
        {
            **live(None, names.PREPARE, **FAILED),
            "metadata": {"name": "r-prepare-mnist", "labels": going[0]["metadata"]["labels"]},
        }
    ]
    assert find_needed_jobs("r", GRID, CELLS, Existing(jobs=failed)).prepare["r-prepare-mnist-1"] == "mnist"


def test_there_is_a_collecting_job_while_there_is_something_to_report():
    before = first()
    collecting = Existing(jobs=[*scene(before).jobs, live(None, names.COLLECT)], assignments=scene(before).assignments)

    assert find_needed_jobs("r", GRID, CELLS, scene(before)).collect
    assert find_needed_jobs("r", GRID, CELLS, collecting).collect == ""
    assert find_needed_jobs("r", GRID, [], Existing(reported=True)).collect == ""
    assert find_needed_jobs("r", GRID, [], Existing(reported=False)).collect
