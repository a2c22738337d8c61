"""The cells of one pod in the hands of warm workers that are played here."""

from __future__ import annotations

import io
import threading
import time

import pytest

from experiment import keys, records
from experiment.errors import Interrupted, InvalidInput, Transient
from experiment.grid import Grid
from experiment.hold import hold_cell
from experiment.lease import Holder
from experiment.outage import Patience
from experiment.records import Outcome, Progress
from experiment.run import Run
from tests.factories import commit
from trainer import group
from trainer.warm import Died

CELLS = 4


@pytest.fixture
def run(make_cell):
    return Run(name="test", grid=Grid(name="test", cells=tuple(make_cell(seed=s) for s in range(CELLS))))


class PlayedWorker:
    """Ends cells as it is told: a state, a kind of failure, an exit code with which it dies, or a function to ask."""

    def __init__(self, crew):
        self.crew, self.stopped, self.ended = crew, threading.Event(), False

    def train(self, index, show):
        self.crew.tried.append(index)
        how = self.crew.ends.get(index, "committed")
        how = how(self, show) if callable(how) else how
        cell = self.crew.run.grid.cells[index]
        if isinstance(how, int):
            raise Died(how, "error: last words", answered=self.crew.answers)
        if how in ("committed", "found", "held"):
            if how == "committed":
                commit(self.crew.store, cell, "pod")
            return Outcome(index=index, cell=cell.id, state=how)
        return Outcome(index=index, cell=cell.id, state="failed", kind=how, message=f"it is {how}")

    def stop(self):
        self.stopped.set()

    def end(self):
        self.ended = True


class Crew:
    """A group whose workers are played, and what became of it."""

    def __init__(self, store, run, ends, indexes=range(CELLS)):
        self.store, self.run, self.ends, self.answers = store, run, ends, True
        self.tried, self.workers, self.out, self.stop = [], [], io.StringIO(), threading.Event()
        self.group = group.Group(
            store=store,
            run=run,
            indexes=list(indexes),
            start=self._start,
            attempt="pod",
            stop=self.stop,
            out=self.out,
            patience=Patience(seconds=0, say=print),
        )

    def _start(self):
        self.workers.append(PlayedWorker(self))
        return self.workers[-1]

    def said(self):
        return [records.parse_record(line, "output") for line in self.out.getvalue().splitlines()]


def test_one_worker_trains_all_cells_and_each_outcome_is_a_record_on_standard_output(local_store, run):
    crew = Crew(local_store, run, {2: "found"})

    assert crew.group.train(1) == 0
    assert crew.tried == list(range(CELLS))
    assert [(o.index, o.state) for o in crew.said()] == [(i, "found" if i == 2 else "committed") for i in range(CELLS)]
    assert [w.ended for w in crew.workers] == [True]


@pytest.mark.parametrize("kind", ["diverged", "invalid"])
def test_a_cell_that_can_never_work_does_not_stop_the_others_and_costs_no_other_pod(local_store, run, kind, caplog):
    crew = Crew(local_store, run, {0: kind})

    assert crew.group.train(1) == 0
    assert crew.tried == list(range(CELLS))
    assert f"{run.grid.cells[0].id} failed for good: it is {kind}" in caplog.text


@pytest.mark.parametrize("kind", ["transient", "error"])
def test_what_is_to_be_tried_again_is_tried_once_by_a_pod_which_then_ends_with_75(local_store, run, kind):
    crew = Crew(local_store, run, {1: kind, 2: "diverged"})

    with pytest.raises(Transient, match=f"2 of 4 cells are done, 1 are to be tried again: .*: it is {kind}"):
        crew.group.train(1)
    assert crew.tried == list(range(CELLS))


def test_a_worker_that_is_killed_leaves_a_record_and_another_one_trains_the_other_cells(local_store, run):
    crew = Crew(local_store, run, {1: -9})

    with pytest.raises(Transient, match=r"3 of 4 cells are done.*was killed by SIGKILL \(out of memory\?\)"):
        crew.group.train(1)
    record = records.parse_record(local_store.read(keys.failure(run.grid.cells[1].id, "pod")), "record")
    assert (record.kind, record.attempt) == ("error", "pod")
    assert len(crew.workers) == 2
    assert all(w.ended for w in crew.workers)


def test_workers_that_die_before_their_first_word_are_not_started_for_ever(local_store, run):
    crew = Crew(local_store, run, dict.fromkeys(range(CELLS), 1))
    crew.answers = False

    with pytest.raises(Transient, match="no worker starts: its worker ended with exit code 1: error: last words"):
        crew.group.train(1)
    assert len(crew.workers) == group.STILLBORN


def test_settings_that_no_worker_can_work_with_end_the_pod_for_good(local_store, run):
    crew = Crew(local_store, run, dict.fromkeys(range(CELLS), InvalidInput.exit_code))
    crew.answers = False

    with pytest.raises(InvalidInput, match=r"^no worker starts: last words$"):
        crew.group.train(1)
    assert len(crew.workers) == 1


def test_several_workers_share_the_cells_and_each_is_tried_once(local_store, run):
    both = threading.Barrier(2, timeout=60)

    def together(worker, show):
        both.wait()
        return "committed"

    crew = Crew(local_store, run, dict.fromkeys(range(CELLS), together))

    assert crew.group.train(2) == 0
    assert sorted(crew.tried) == list(range(CELLS))
    assert len(crew.workers) == 2


def test_told_to_stop_it_has_its_workers_stop_and_waits_for_them(local_store, run):
    def stopped_by_the_node(worker, show):
        worker.crew.stop.set()
        assert worker.stopped.wait(60)
        return 143

    crew = Crew(local_store, run, {1: stopped_by_the_node})

    with pytest.raises(Interrupted, match="told to stop when 1 of 4 cells are done; launch again to go on"):
        crew.group.train(1)
    assert crew.tried == [0, 1]
    assert local_store.exists(keys.epochs(run.grid.cells[0]))
    assert not local_store.exists(keys.failure(run.grid.cells[1].id, "pod"))  # the worker has left its own


def test_a_pod_whose_last_cell_is_done_when_it_is_told_to_stop_has_succeeded(local_store, run):
    def just_done(worker, show):
        worker.crew.stop.set()
        return "committed"

    assert Crew(local_store, run, {3: just_done}).group.train(1) == 0


def test_a_cell_in_other_hands_is_tried_when_the_others_are_done_and_it_is_free(local_store, run, monkeypatch):
    monkeypatch.setattr(group, "HELD_SECONDS", 0.1)
    with hold_cell(local_store, run.grid.cells[0].id, Holder(name="another")):
        crew = Crew(local_store, run, {0: lambda *_: "committed" if len(crew.tried) > CELLS else "held"})
        ended = []
        thread = threading.Thread(target=lambda: ended.append(crew.group.train(1)))
        thread.start()
        deadline = time.monotonic() + 60
        while len(crew.tried) < CELLS and time.monotonic() < deadline:
            time.sleep(0.01)
        assert crew.tried == list(range(CELLS))
        assert not ended
    thread.join(60)

    assert ended == [0]
    assert crew.tried == [*range(CELLS), 0]


def test_an_unforeseen_error_of_the_group_ends_it_with_that_error(local_store, run):
    def fault(worker, show):
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        Crew(local_store, run, {1: fault}).group.train(2)


def test_progress_is_said_now_and_then(local_store, run):
    def steps(worker, show):
        for step in range(100):
            show(
                Progress(
                    cell=run.grid.cells[0].id,
                    attempt="pod",
                    epoch=0,
                    epochs=1,
                    step=step,
                    steps=100,
                    images_per_second=1.0,
                    seconds_left=1.0,
                    time="2026-01-01T00:00:00+00:00",
                )
            )
        return "committed"

    crew = Crew(local_store, run, {0: steps}, indexes=[0])

    assert crew.group.train(1) == 0
    assert [type(r) for r in crew.said()] == [Progress, Outcome]
