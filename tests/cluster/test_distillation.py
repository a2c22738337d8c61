"""Students on the real control plane: their Job takes no pod until their teachers are committed."""

from __future__ import annotations

import pytest

from experiment import keys
from k8s import collect, status
from k8s.manifests import jobs, names
from tests.cluster.test_rights import as_account

pytestmark = pytest.mark.cluster
SEEDS = 2
STUDENTS = f"""
[[product]]
method = "distillation"
alpha = 1.0
seed = {list(range(SEEDS))}
teacher = {{ method = "single" }}
"""


@pytest.fixture
def taught(run):
    """A launched run of two teachers and two students, and the names of the Jobs of both."""
    code, said = run.launch(cells=SEEDS, more=STUDENTS)
    assert code == 0, said
    (students,) = [j for j in run.jobs() if jobs.waits_for_teachers(j)]
    (teachers,) = [j for j in run.jobs() if not jobs.waits_for(j)]
    return run, jobs.object_name(teachers), jobs.object_name(students)


def collect_as_the_collector(run, monkeypatch, play):
    """Runs the collecting Job's program with its own rights; ``play`` is called between two looks."""
    with as_account(run, monkeypatch, "ensemble-collector") as kube:
        own = jobs.object_name(run.jobs(names.COLLECT)[0])
        made = collect.Collector(kube=kube, store=run.store, run=run.launched(), report=lambda: 0, poll=0.2, own=own)
        object.__setattr__(made, "sleep", lambda _: play())
        return made.collect()


def test_students_are_started_by_the_collecting_job_once_their_teachers_are_committed(taught, monkeypatch, capsys):
    run, teachers, students = taught
    _, said = run.of_run(status.main)
    assert said.count(f"waits for its teacher: run lab (Job {teachers})") == SEEDS
    run.running(0, job=teachers)
    assert run.pods(job=students) == []

    def play():
        for pod in run.pods():
            if pod["status"].get("phase") == "Running":
                run.finish(pod)

    capsys.readouterr()
    assert collect_as_the_collector(run, monkeypatch, play) == 0
    assert f"started {students}: {SEEDS} of {SEEDS} teachers of its cells are trained" in capsys.readouterr().out
    assert len(run.pods(job=students)) == SEEDS
    assert all(run.store.exists(keys.epochs(c)) for c in run.launched().grid.cells)


def test_students_whose_teachers_are_given_up_are_removed_with_the_reason(taught, monkeypatch, capsys):
    run, teachers, students = taught
    for index in range(SEEDS):
        run.finish(run.running(index, job=teachers), code=43)
    capsys.readouterr()
    assert collect_as_the_collector(run, monkeypatch, lambda: None) == 0  # a report that says what failed is a report
    said = capsys.readouterr().out

    assert f"removed {students}: run lab (Job {teachers}) has ended without the teachers of its cells" in said
    assert run.pods(job=students) == []
    assert run.of_run(status.main)[1].count("has ended without the teachers of its cells") == SEEDS
