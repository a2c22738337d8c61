"""Two runs that share cells, on the real control plane: each shared cell has one pod at a time, and none waits with a GPU."""

from __future__ import annotations

from collections import Counter

import pytest

from experiment import keys
from k8s import cancel, collect, status
from k8s.cluster import watch
from k8s.manifests import jobs, names
from tests.cluster.simulated_run import cell
from tests.cluster.test_rights import as_account

pytestmark = pytest.mark.cluster
SHARED, ALL = 3, 5


@pytest.fixture
def two(run):
    """Run ``lab`` trains three cells; run ``more`` is launched with these and two others."""
    assert run.launch(cells=SHARED)[0] == 0
    run.running(0)
    run.name = "more"
    code, said = run.launch(cells=ALL)
    assert code == 0, said
    assert f"{SHARED} cells are in the hands of run lab (Job lab-digits-" in said
    return run


def named(run, name):
    run.name = name
    return run


def waiting_job(run):
    (only,) = [j for j in named(run, "more").jobs() if jobs.waits_for(j)]
    return only


def own_job(run):
    (only,) = [j for j in named(run, "more").jobs() if not jobs.waits_for(j)]
    return only


def attempts(run):
    """How many pods each cell has had, by seed, over both runs."""
    return Counter(named(run, name).cell_of(p).seed for name in ("lab", "more") for p in named(run, name).pods())


def collector(run, kube, done):
    own = jobs.object_name(named(run, "more").jobs(names.COLLECT)[0])
    return collect.Collector(
        kube=kube, store=run.store, run=run.launched(), report=lambda: done.append(1) or 0, poll=0.2, own=own
    )


def test_cells_that_another_run_has_are_trained_there_alone_and_the_waiting_job_is_removed(two, monkeypatch, capsys):
    name = jobs.object_name(waiting_job(two))
    two.finish_all(jobs.object_name(own_job(two)))
    _, said = two.of_run(status.main)
    named(two, "lab").finish_all()
    done = []
    with as_account(two, monkeypatch, "ensemble-collector") as kube:
        capsys.readouterr()
        assert collector(two, kube, done).collect() == 0

    assert said.count("in the hands of run lab") == SHARED + 1
    assert f"removed {name}: its cells are done by run lab" in capsys.readouterr().out
    two.until(lambda: name not in [jobs.object_name(j) for j in two.jobs()], "the waiting Job gone")
    assert attempts(two) == dict.fromkeys(range(ALL), 1)
    assert done


def test_a_run_that_is_cancelled_leaves_its_cells_to_the_one_that_waits(two, monkeypatch, capsys):
    name = jobs.object_name(waiting_job(two))
    named(two, "lab").finish(two.running(1))
    two.of_run(cancel.main)
    two.finish_all(jobs.object_name(own_job(two)))
    assert two.pods(job=name) == []
    polls = []

    def play(_):
        """The kubelets' part, between two looks of the collecting Job."""
        polls.append(1)
        for pod in two.pods(job=name):
            if pod["status"].get("phase") == "Running":
                two.finish(pod)

    with as_account(two, monkeypatch, "ensemble-collector") as kube:
        made = collector(two, kube, [])
        object.__setattr__(made, "sleep", play)
        capsys.readouterr()
        assert made.collect() == 0

    assert f"started {name}: run lab (Job lab-digits-" in capsys.readouterr().out
    ended = two.kube.get("Job", name)
    assert jobs.completed_indexes(ended) == set(range(SHARED))
    assert all(two.store.exists(keys.epochs(cell(seed))) for seed in range(ALL))


def test_who_waits_for_the_run_starts_the_job_where_no_collecting_job_does(two, capsys):
    name = jobs.object_name(waiting_job(two))
    two.kube.delete("Job", jobs.object_name(two.jobs(names.COLLECT)[0]))
    two.finish_all(jobs.object_name(own_job(two)))
    named(two, "lab").of_run(cancel.main)
    named(two, "more")
    capsys.readouterr()

    def play(_):
        for pod in two.pods(job=name):
            if pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]:
                two.finish(pod)

    watch.watch_run(two.kube, two.store, two.launched(), sleep=play)

    said = capsys.readouterr().out
    assert f"{SHARED} cells are in the hands of run lab" in said
    assert said.count(f"started {name}") == 1
    assert f"{ALL} of {ALL} cells done" in said


def test_the_same_launch_again_leaves_a_waiting_job_as_it_is(two):
    before = waiting_job(two)

    code, said = two.launch(cells=ALL)

    assert (code, "nothing to create" in said) == (0, True), said
    assert waiting_job(two)["metadata"]["uid"] == before["metadata"]["uid"]
