"""Cells that another run's Job has wait in a suspended Job, which starts when that one has ended without them."""

from __future__ import annotations

import dataclasses

import pytest

from experiment import keys, urls
from experiment.assignment import Assignment, read_assignments
from experiment.grid import Grid
from experiment.ledger import read_failures
from experiment.run import Run, read_run
from k8s.cluster import handover
from k8s.cluster.connect import connect_cluster
from k8s.cluster.observe import observe_run
from k8s.cluster.preparation import starting_change
from k8s.manifests import jobs, names, render
from k8s.planning.cluster_plan import describe_waiting
from tests.factories import commit
from tests.k8s.api_server import merge
from tests.k8s.cluster_objects import GRID
from tests.k8s.factories import launch

ENDED = [{"type": "Failed", "status": "True"}]
OTHER, MINE = "other-digits-1", "mine-digits-2"


@pytest.fixture
def scene(api, launched):
    """Run ``other`` trains cells 0, 1 and 2 of grid smoke; run ``mine`` has a Job for 0 and 2, which waits for it."""
    launched.put(keys.grid("other"), Run(name="other", grid=GRID).to_bytes())
    add(api, launched, "other", OTHER, (0, 1, 2))
    add(api, launched, "mine", MINE, (0, 2), waits_for=f"other/{OTHER}")
    with connect_cluster("", "ensembles") as kube:
        yield Scene(api, launched, kube)


def add(api, store, run, name, indexes, waits_for="", taught_by="", **status):
    waits = {names.WAITS_FOR: waits_for, names.TAUGHT_BY: taught_by}
    annotations = {names.RUN_URL: urls.run_url(store.url, run), **{k: v for k, v in waits.items() if v}}
    metadata = {"name": name, "labels": names.run_labels(run, names.TRAINER), "annotations": annotations, "uid": name}
    api.add("jobs", {"metadata": metadata, "spec": {"suspend": any(waits.values())}, "status": status})
    store.put(keys.assignment(run, name), Assignment(run=run, job=name, indexes=indexes).to_bytes())


class Scene:
    def __init__(self, api, store, kube):
        self.api, self.store, self.kube = api, store, kube

    def held(self, run="mine"):
        return handover.find_held_cells(self.kube, self.store, run)

    def settle(self):
        found = self.kube.list("Job", names.run_selector("mine"))
        run = read_run(self.store, "mine")
        return handover.settle_waiting_jobs(self.kube, self.store, run, found, read_assignments(self.store, "mine"))

    def mine(self):
        return self.kube.get("Job", MINE)


def ids(*indexes):
    return {GRID.cells[i].id for i in indexes}


def test_the_cells_of_other_runs_active_jobs_are_held_and_those_of_waiting_ones_are_not(scene):
    assert scene.held() == dict.fromkeys(ids(0, 1, 2), f"other/{OTHER}")
    assert scene.held("other") == {}


@pytest.mark.parametrize("why", ["ended", "done there", "of another store", "damaged"])
def test_cells_that_no_active_job_of_this_store_has_are_free(scene, why):
    status = {"conditions": ENDED} if why == "ended" else {"completedIndexes": "0,1", "failedIndexes": "2"}
    add(scene.api, scene.store, "other", OTHER, (0, 1, 2), **(status if why in ("ended", "done there") else {}))
    if why == "of another store":
        job = scene.kube.get("Job", OTHER)
        job["metadata"]["annotations"][names.RUN_URL] = "s3://elsewhere/runs/other"
        scene.api.add("jobs", job)
    if why == "damaged":
        scene.store.put(keys.assignment("other", OTHER), b"torn")

    assert scene.held() == {}


def test_a_job_waits_while_the_other_one_is_active_and_starts_when_it_has_ended_without_some_cells(scene):
    assert scene.settle() == []
    commit(scene.store, GRID.cells[0])
    assert scene.settle() == []
    add(scene.api, scene.store, "other", OTHER, (0, 1, 2), conditions=ENDED)

    assert scene.settle() == [f"started {MINE}: run other (Job {OTHER}) has ended without 1 of its cells"]
    assert scene.mine()["spec"]["suspend"] is False
    assert jobs.waits_for(scene.mine()) == ""
    assert scene.settle() == []


TAUGHT = "mine-digits-3"


@pytest.fixture
def students(scene):
    """The scene with a third Job: two students of the cells 0 and 2, which Job ``MINE`` trains."""
    cells = tuple(
        dataclasses.replace(GRID.cells[i], method="distillation", alpha=1.0, teacher=GRID.cells[i]) for i in (0, 2)
    )
    scene.store.delete(keys.grid("mine"))
    scene.store.put(
        keys.grid("mine"), Run(name="mine", grid=Grid(name="taught", cells=(*GRID.cells, *cells))).to_bytes()
    )
    add(scene.api, scene.store, "mine", MINE, (0, 2))
    add(scene.api, scene.store, "mine", TAUGHT, (len(GRID.cells), len(GRID.cells) + 1), taught_by=f"mine/{MINE}")
    return scene


def test_students_start_when_all_their_teachers_are_trained_whether_or_not_that_job_has_ended(students):
    assert students.settle() == []
    commit(students.store, GRID.cells[0])
    assert students.settle() == []
    commit(students.store, GRID.cells[2])

    assert students.settle() == [f"started {TAUGHT}: 2 of 2 teachers of its cells are trained"]
    started = students.kube.get("Job", TAUGHT)
    assert (started["spec"]["suspend"], jobs.waits_for(started)) == (False, "")


def test_students_start_without_some_teachers_if_these_can_come_no_more(students):
    commit(students.store, GRID.cells[0])
    add(students.api, students.store, "mine", MINE, (0, 2), conditions=ENDED)

    assert students.settle() == [f"started {TAUGHT}: 1 of 2 teachers of its cells are trained"]


def test_students_of_another_run_are_started_by_whoever_waits_for_them(students):
    """That run's launch died before it had a collecting Job."""
    shared = (len(GRID.cells), len(GRID.cells) + 1)
    grid = read_run(students.store, "mine").grid
    students.store.put(keys.grid("third"), Run(name="third", grid=grid).to_bytes())
    add(students.api, students.store, "third", "third-digits-4", shared, waits_for=f"mine/{TAUGHT}")
    for index in (0, 2):
        commit(students.store, GRID.cells[index])
    found = students.kube.list("Job", names.run_selector("third"))
    known = read_assignments(students.store, "third")

    assert (
        handover.settle_waiting_jobs(students.kube, students.store, read_run(students.store, "third"), found, known)
        == []
    )
    assert students.kube.get("Job", TAUGHT)["spec"]["suspend"] is False


def test_students_without_any_teacher_are_removed_with_the_reason_on_record(students):
    add(students.api, students.store, "mine", MINE, (0, 2), conditions=ENDED)
    why = f"run mine (Job {MINE}) has ended without the teachers of its cells"

    assert students.settle() == [f"removed {TAUGHT}: {why}; launch again when that is mended"]
    run = read_run(students.store, "mine")
    failures, _ = read_failures(students.store, [c.id for c in run.grid.cells])
    assert {i: [f.message for f in found] for i, found in failures.items()} == {
        c.id: [why] for c in run.grid.cells if c.teacher
    }


def test_a_job_whose_other_job_was_deleted_starts(scene):
    scene.kube.delete("Job", OTHER)

    assert scene.settle()[0].startswith(f"started {MINE}")


def test_a_job_whose_cells_are_all_done_is_removed_whether_or_not_the_other_has_ended(scene):
    for index in (0, 2):
        commit(scene.store, GRID.cells[index])

    assert scene.settle() == [f"removed {MINE}: its cells are done by run other (Job {OTHER})"]
    assert MINE not in scene.api.names("jobs")


def preparing(scene, run, **status):
    name = f"{run}-prepare-digits"
    metadata = {"name": name, "uid": name, "creationTimestamp": "2026-11-01T11:00:00Z"}
    metadata["labels"] = {**names.run_labels(run, names.PREPARE), names.DATASET: "digits"}
    scene.api.add("jobs", {"metadata": metadata, "spec": {}, "status": status})
    return f"{run}/{name}"


def test_a_job_that_waits_for_its_data_set_has_its_cells_and_whoever_waits_for_it_starts_it(scene):
    """Its own launch may have been killed before it made a collecting Job."""
    add(scene.api, scene.store, "other", OTHER, (0, 1, 2), waits_for=preparing(scene, "other"))
    assert scene.held() == dict.fromkeys(ids(0, 1, 2), f"other/{OTHER}")
    assert scene.settle() == []
    assert scene.kube.get("Job", OTHER)["spec"]["suspend"] is True

    preparing(scene, "other", conditions=[{"type": "Complete", "status": "True"}])
    assert scene.settle() == []
    assert scene.kube.get("Job", OTHER)["spec"]["suspend"] is False


def test_a_job_whose_data_set_could_not_be_prepared_is_not_waited_for(scene):
    add(scene.api, scene.store, "other", OTHER, (0, 1, 2), waits_for=preparing(scene, "other", conditions=ENDED))

    assert scene.settle() == [f"started {MINE}: run other (Job {OTHER}) has ended without 2 of its cells"]
    assert OTHER not in scene.api.names("jobs")


def test_after_the_other_job_the_data_set_is_waited_for(scene):
    scene.kube.delete("Job", OTHER)
    job = scene.mine()
    job["metadata"]["labels"][names.DATASET] = "digits"
    scene.api.add("jobs", job)
    own = preparing(scene, "mine")

    assert scene.settle() == [
        f"{MINE} now waits for its data set: run other (Job {OTHER}) has ended without 2 of its cells"
    ]
    assert jobs.waits_for(scene.mine()) == own


def test_a_third_run_that_was_quicker_is_waited_for_in_turn(scene):
    scene.kube.delete("Job", OTHER)
    scene.store.put(keys.grid("third"), Run(name="third", grid=Grid(name="g", cells=GRID.cells[:3])).to_bytes())
    add(scene.api, scene.store, "third", "third-digits-3", (0, 2))

    assert scene.settle() == [f"{MINE} now waits for run third (Job third-digits-3)"]
    assert jobs.waits_for(scene.mine()) == "third/third-digits-3"
    assert scene.mine()["spec"]["suspend"] is True


def test_without_the_right_to_start_it_the_run_goes_on_and_says_why(scene, monkeypatch):
    scene.kube.delete("Job", OTHER)
    answer = scene.api.answer
    forbidden = (403, {"message": "forbidden: patch jobs"})
    monkeypatch.setattr(
        scene.api, "answer", lambda method, *rest: forbidden if method == "PATCH" else answer(method, *rest)
    )

    (line,) = scene.settle()
    assert line.startswith(f"{MINE} could not be started or removed: ")
    assert "patch jobs" in line


@pytest.mark.parametrize("queue", ["", "gpus"])
def test_a_waiting_job_is_outside_its_queue_and_once_started_is_as_if_it_had_never_waited(queue):
    given = launch(queue=queue, queue_priority="urgent")
    waiting = render.trainer_manifest(given, "mnist", MINE, 2, {names.WAITS_FOR: f"other/{OTHER}"})
    started = merge(waiting, starting_change(waiting))

    assert waiting["spec"]["suspend"] is True
    assert names.QUEUE not in waiting["metadata"]["labels"]
    assert started["spec"].pop("suspend") is bool(queue)  # a queue starts what is its own
    assert started == render.trainer_manifest(given, "mnist", MINE, 2)


def test_who_has_the_cells_is_said_in_plan_status_and_waiting(scene, capsys):
    from k8s import status

    view = observe_run(scene.store, read_run(scene.store, "mine"), scene.kube)
    said = f"2 cells are in the hands of run other (Job {OTHER}): waited for"

    assert describe_waiting({f"other/{OTHER}": 2}) == [said]
    assert handover.follow_waiting_jobs(scene.kube, scene.store, view) == [said]
    assert status.main(["--run", f"{scene.store.url}/runs/mine"]) == 0
    out = capsys.readouterr().out
    assert said in out
    assert f"Job {MINE}: waits for run other (Job {OTHER})" in out
