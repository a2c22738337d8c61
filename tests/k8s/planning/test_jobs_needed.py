"""Which Jobs a launch needs: only for cells that nobody is at, and never twice."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter

from experiment.cell import Cell
from experiment.grid import Grid, load_grid
from experiment.workload import compiled_shape
from k8s.manifests import names
from k8s.planning.jobs_needed import Existing, find_needed_jobs, group_cells

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


def grouped(most, missing=CELLS, existing=None, **more):
    return find_needed_jobs("r", GRID, missing, existing or Existing(), cells_per_pod=lambda _: most, **more)


def test_several_cells_of_a_pod_are_of_one_shape_and_none_is_left_over_alone():
    found = grouped(4)

    assert sorted(i for a in found.trainers for i in a.indexes) == list(CELLS)
    for a in found.trainers:
        assert a.sizes and max(a.sizes) <= 4
        for group in a.groups:
            assert len({compiled_shape(GRID.cells[i]) for i in group}) == 1
    shapes = Counter(compiled_shape(c) for c in GRID.cells)
    sizes = sorted(len(g) for a in found.trainers for g in a.groups)
    assert len(sizes) == sum(math.ceil(n / 4) for n in shapes.values())


def test_groups_are_as_equal_as_can_be():
    cells = tuple(Cell(dataset="mnist", method="l2", alpha=0.1, seed=s) for s in range(13))
    groups = {most: group_cells(Grid(name="g", cells=cells), range(13), most) for most in (1, 4, 5, 13)}

    assert {most: [len(g) for g in found] for most, found in groups.items()} == {
        1: [1] * 13,
        4: [3, 3, 3, 4],
        5: [4, 4, 5],
        13: [13],
    }
    assert all([i for group in found for i in group] == list(range(13)) for found in groups.values())


def test_a_cell_that_the_pod_of_its_group_left_undone_is_left_to_retry():
    before = grouped(4)
    (lost, *_) = before.trainers[0].groups[0]
    found = scene(before, completedIndexes="0", **COMPLETE)

    assert grouped(4, [lost], found).trainers == ()
    assert list(grouped(4, [lost], found).given_up) == [lost]
    assert grouped(4, [lost], found, again=True).trainers[0].indexes == (lost,)


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


def test_cells_that_another_runs_job_has_are_in_a_job_of_their_own_that_waits_for_it():
    mnist = [i for i in CELLS if GRID.cells[i].dataset == "mnist"]
    other = next(i for i in CELLS if GRID.cells[i].dataset != "mnist")
    holders = {mnist[0]: "b/b-2", mnist[1]: "a/a-1", mnist[2]: "a/a-1", other: "a/a-1"}
    held = {GRID.cells[i].id: holder for i, holder in holders.items()}
    found = find_needed_jobs("r", GRID, CELLS, Existing(held=held))
    waiting = {(found.waits[a.job], a.indexes) for a in found.trainers if a.job in found.waits}

    assert waiting == {("b/b-2", (mnist[0],)), ("a/a-1", tuple(mnist[1:3])), ("a/a-1", (other,))}
    assert sorted(i for a in found.trainers for i in a.indexes) == list(CELLS)
    assert find_needed_jobs("r", GRID, CELLS, Existing()).waits == {}


TEACHER = Cell(dataset="digits", method="single")
STUDENTS = [dataclasses.replace(TEACHER, method="distillation", alpha=a, teacher=TEACHER) for a in (0.1, 1.0)]
TAUGHT = Grid(name="taught", cells=(TEACHER, *STUDENTS, dataclasses.replace(TEACHER, method="ce", alpha=1.0)))


def taught(missing=range(4), existing=None, **more):
    return find_needed_jobs("r", TAUGHT, missing, existing or Existing(), **more)


def test_students_are_in_a_job_of_their_own_that_waits_for_the_one_that_trains_their_teachers():
    found = taught()
    teachers, students = found.trainers

    assert (teachers.indexes, students.indexes) == ((0, 3), (1, 2))
    assert found.taught == {students.job: f"r/{teachers.job}"}
    assert found.wait_of("r", "digits", students.job) == {names.TAUGHT_BY: f"r/{teachers.job}"}
    assert found.wait_of("r", "digits", teachers.job) == {names.WAITS_FOR: "r/r-prepare-digits"}
    assert found.waits == {}


def test_students_whose_teacher_is_done_wait_for_none():
    found = taught([1, 2, 3])

    assert [a.indexes for a in found.trainers] == [(1, 2, 3)]
    assert found.taught == {}


def test_students_wait_for_an_earlier_launch_that_still_trains_their_teacher():
    first = taught([0, 3])
    again = taught(range(4), scene(first))

    assert [a.indexes for a in again.trainers] == [(1, 2)]
    assert list(again.taught.values()) == [f"r/{first.trainers[0].job}"]


def test_students_of_a_teacher_that_another_run_trains_wait_until_their_own_run_has_its_result():
    found = taught(existing=Existing(held={TEACHER.id: "b/b-1"}))
    waiting = {a.indexes: found.waits.get(a.job) or found.taught.get(a.job) for a in found.trainers}
    (own,) = [a.job for a in found.trainers if a.indexes == (0,)]

    assert waiting == {(0,): "b/b-1", (3,): None, (1, 2): f"r/{own}"}


def test_students_of_a_teacher_that_was_given_up_are_left_to_retry_with_it():
    first = taught([0])
    gone = scene(first, failedIndexes="0", **FAILED)

    assert sorted(taught(range(3), gone).given_up) == [0, 1, 2]
    assert taught(range(3), gone).trainers == ()
    assert [a.indexes for a in taught(range(3), gone, again=True).trainers] == [(0,), (1, 2)]


def test_students_of_a_teacher_that_was_given_up_once_and_is_done_since_are_launched():
    first = taught([0])
    gone = scene(first, failedIndexes="0", **FAILED)
    found = taught([1, 2], gone)

    assert found.given_up == {}
    assert [a.indexes for a in found.trainers] == [(1, 2)]
    assert found.taught == {}


def test_every_trainer_job_has_one_that_prepares_or_verifies_its_data_set():
    found = find_needed_jobs("r", GRID, CELLS, scene(first(), **FAILED))

    assert found.preparing == {d: f"r-prepare-{d}" for d in ("cifar10", "mnist", "notmnist")}
    assert find_needed_jobs("r", GRID, CELLS, scene(first())).prepare == {}


def test_a_preparation_in_progress_is_not_doubled_and_a_failed_one_is_repeated():
    going = [live(None, names.PREPARE)]
    found = find_needed_jobs("r", GRID, CELLS, Existing(jobs=going))
    assert "mnist" not in found.prepare.values()
    assert found.preparing["mnist"] == going[0]["metadata"]["name"]

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
