"""Cells in the hands of warm workers that are played here: those of a pod, and those that a launcher sends."""

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
from experiment.places import Place
from experiment.records import Outcome, Progress, Turn
from experiment.run import Run
from tests.factories import commit
from trainer import dealing, pool
from trainer.warm import Died

CELLS = 4


@pytest.fixture
def run(make_cell):
    return Run(name="test", grid=Grid(name="test", cells=tuple(make_cell(seed=s) for s in range(CELLS))))


def progress_of(cell, **fields):
    base = {"attempt": "pod", "epoch": 0, "epochs": 1, "step": 0, "steps": 100}
    pace = {"images_per_second": 1.0, "seconds_left": 1.0, "time": "2026-01-01T00:00:00+00:00"}
    return Progress(cell=cell.id, **{**base, **pace, **fields})


class PlayedWorker:
    """Ends cells as it is told: a state, a kind of failure, an exit code with which it dies, or a function to ask."""

    def __init__(self, crew):
        self.crew, self.stopped, self.ended, self.killed = crew, threading.Event(), False, False

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

    def kill(self):
        self.killed = True

    def end(self):
        self.ended = True


class Crew:
    """A pool whose workers are played, and what became of it."""

    def __init__(self, store, run, ends):
        self.store, self.run, self.ends, self.answers = store, run, ends, True
        self.tried, self.workers, self.out, self.stop = [], [], io.StringIO(), threading.Event()
        self.pool = pool.Pool(
            store=store,
            run=run,
            places=(),
            start=self._start,
            name_try=lambda: "pod",
            stop=self.stop,
            out=self.out,
            patience=Patience(seconds=0, say=print),
        )

    def _start(self, place):
        self.workers.append(PlayedWorker(self))
        return self.workers[-1]

    def train(self, workers, indexes=range(CELLS)):
        """Has these cells tried, as in a pod."""
        self.pool.add(indexes)
        self.pool.close()
        return self.work(workers)

    def work(self, workers):
        self.pool.places = [Place(name=f"cpu{i}") for i in range(workers)]
        return self.pool.train()

    def said(self):
        return [records.parse_record(line, "output") for line in self.out.getvalue().splitlines()]


def test_one_worker_trains_all_cells_and_each_turn_and_outcome_is_a_record_on_standard_output(local_store, run):
    crew = Crew(local_store, run, {2: "found"})

    assert crew.train(1) == 0
    assert crew.tried == list(range(CELLS))
    outcomes = [(o.index, o.state) for o in crew.said() if isinstance(o, Outcome)]
    assert outcomes == [(i, "found" if i == 2 else "committed") for i in range(CELLS)]
    turns = [(t.index, t.cell, t.place) for t in crew.said() if isinstance(t, Turn)]
    assert turns == [(i, cell.id, "cpu0") for i, cell in enumerate(run.grid.cells)]
    assert [w.ended for w in crew.workers] == [True]


@pytest.mark.parametrize("kind", ["diverged", "invalid"])
def test_a_cell_that_can_never_work_does_not_stop_the_others_and_costs_no_other_pod(local_store, run, kind, caplog):
    crew = Crew(local_store, run, {0: kind})

    assert crew.train(1) == 0
    assert crew.tried == list(range(CELLS))
    assert f"{run.grid.cells[0].id} failed for good: it is {kind}" in caplog.text


@pytest.mark.parametrize("kind", ["transient", "error"])
def test_what_is_to_be_tried_again_is_tried_once_by_a_pod_which_then_ends_with_75(local_store, run, kind):
    crew = Crew(local_store, run, {1: kind, 2: "diverged"})

    with pytest.raises(Transient, match=f"2 of 4 cells are done, 1 are to be tried again: .*: it is {kind}"):
        crew.train(1)
    assert crew.tried == list(range(CELLS))


def test_a_worker_that_is_killed_leaves_a_record_and_another_one_trains_the_other_cells(local_store, run):
    crew = Crew(local_store, run, {1: -9})

    with pytest.raises(Transient, match=r"3 of 4 cells are done.*was killed by SIGKILL \(out of memory\?\)"):
        crew.train(1)
    record = records.parse_record(local_store.read(keys.failure(run.grid.cells[1].id, "pod")), "record")
    assert (record.kind, record.attempt) == ("error", "pod")
    assert len(crew.workers) == 2
    assert all(w.ended for w in crew.workers)


def test_workers_that_die_before_their_first_word_are_not_started_for_ever(local_store, run):
    crew = Crew(local_store, run, dict.fromkeys(range(CELLS), 1))
    crew.answers = False

    with pytest.raises(Transient, match="no worker starts: its worker ended with exit code 1: error: last words"):
        crew.train(1)
    assert len(crew.workers) == pool.STILLBORN


def test_settings_that_no_worker_can_work_with_end_the_pod_for_good(local_store, run):
    crew = Crew(local_store, run, dict.fromkeys(range(CELLS), InvalidInput.exit_code))
    crew.answers = False

    with pytest.raises(InvalidInput, match=r"^no worker starts: last words$"):
        crew.train(1)
    assert len(crew.workers) == 1


def test_several_workers_share_the_cells_and_each_is_tried_once(local_store, run):
    both = threading.Barrier(2, timeout=60)

    def together(worker, show):
        both.wait()
        return "committed"

    crew = Crew(local_store, run, dict.fromkeys(range(CELLS), together))

    assert crew.train(2) == 0
    assert sorted(crew.tried) == list(range(CELLS))
    assert len(crew.workers) == 2


def test_told_to_stop_it_has_its_workers_stop_and_waits_for_them(local_store, run):
    def stopped_by_the_node(worker, show):
        worker.crew.stop.set()
        assert worker.stopped.wait(60)
        return 143

    crew = Crew(local_store, run, {1: stopped_by_the_node})

    with pytest.raises(Interrupted, match="told to stop when 1 of 4 cells are done; launch again to go on"):
        crew.train(1)
    assert crew.tried == [0, 1]
    assert local_store.exists(keys.epochs(run.grid.cells[0]))
    assert not local_store.exists(keys.failure(run.grid.cells[1].id, "pod"))  # the worker has left its own


def test_a_pod_whose_last_cell_is_done_when_it_is_told_to_stop_has_succeeded(local_store, run):
    def just_done(worker, show):
        worker.crew.stop.set()
        return "committed"

    assert Crew(local_store, run, {3: just_done}).train(1) == 0


def test_a_cell_in_other_hands_is_tried_when_the_others_are_done_and_it_is_free(local_store, run, monkeypatch):
    monkeypatch.setattr(dealing, "HELD_SECONDS", 0.1)
    with hold_cell(local_store, run.grid.cells[0].id, Holder(name="another")):
        crew = Crew(local_store, run, {0: lambda *_: "committed" if len(crew.tried) > CELLS else "held"})
        ended = []
        thread = threading.Thread(target=lambda: ended.append(crew.train(1)))
        thread.start()
        deadline = time.monotonic() + 60
        while len(crew.tried) < CELLS and time.monotonic() < deadline:
            time.sleep(0.01)
        assert crew.tried == list(range(CELLS))
        assert not ended
    thread.join(60)

    assert ended == [0]
    assert crew.tried == [*range(CELLS), 0]


def test_an_unforeseen_error_of_the_pool_ends_it_with_that_error(local_store, run):
    def fault(worker, show):
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        Crew(local_store, run, {1: fault}).train(2)


def test_progress_is_said_now_and_then(local_store, run):
    def steps(worker, show):
        for step in range(100):
            show(progress_of(run.grid.cells[0], step=step))
        return "committed"

    crew = Crew(local_store, run, {0: steps})
    crew.pool.show_seconds = 60.0

    assert crew.train(1, [0]) == 0
    assert [type(r) for r in crew.said()] == [Turn, Progress, Outcome]


def test_the_record_of_a_killed_worker_names_the_attempt_and_the_epoch_that_it_last_told(local_store, run):
    def killed(worker, show):
        show(progress_of(run.grid.cells[0], attempt="its-own", epoch=7))
        return -9

    crew = Crew(local_store, run, {0: killed})
    with pytest.raises(Transient):
        crew.train(1, [0])

    record = records.parse_record(local_store.read(keys.failure(run.grid.cells[0].id, "its-own")), "record")
    assert (record.epoch, record.exit_code) == (7, -9)


def test_a_record_that_the_worker_has_left_before_it_died_stands(local_store, run):
    def told_then_killed(worker, show):
        show(progress_of(run.grid.cells[0], attempt="pod", epoch=0))
        local_store.put(keys.failure(run.grid.cells[0].id, "pod"), b"the worker's own")
        return -9

    with pytest.raises(Transient):
        Crew(local_store, run, {0: told_then_killed}).train(1, [0])

    assert local_store.read(keys.failure(run.grid.cells[0].id, "pod")) == b"the worker's own"


class Launcher:
    """Sends lines, each when there are so many outcomes; an empty one is none."""

    def __init__(self, crew, *lines):
        self.crew, self.lines = crew, lines

    def __iter__(self):
        for outcomes, line in self.lines:
            deadline = time.monotonic() + 60
            while sum(isinstance(r, Outcome) for r in self.crew.said()) < outcomes:
                assert time.monotonic() < deadline, self.crew.said()
                time.sleep(0.01)
            if line:
                yield line


def serve(crew, *lines, workers=1):
    threading.Thread(target=crew.pool.follow, args=(Launcher(crew, *lines),), daemon=True).start()
    return crew.work(workers)


def test_a_launcher_sends_cells_again_which_its_warm_worker_tries(local_store, run):
    crew = Crew(local_store, run, {1: lambda *_: "transient" if crew.tried.count(1) < 3 else "committed"})

    assert serve(crew, (0, "2 1\n"), (2, "1\n"), (3, "1\n"), (4, "quit\n")) == 0
    assert crew.tried == [1, 2, 1, 1]
    assert [w.ended for w in crew.workers] == [True]


def test_cells_of_one_line_are_dealt_by_their_work(local_store, make_cell):
    cells = (make_cell(epochs=1), make_cell(epochs=9), make_cell(epochs=5))
    crew = Crew(local_store, Run(name="test", grid=Grid(name="test", cells=cells)), {})

    assert serve(crew, (0, "0 1 2\n"), (3, "quit\n")) == 0
    assert crew.tried == [1, 2, 0]


def test_lines_that_end_without_quit_stop_the_workers(local_store, run):
    def stopped(worker, show):
        assert worker.stopped.wait(60)
        return 143

    crew = Crew(local_store, run, {1: stopped})

    with pytest.raises(Interrupted, match="told to stop when 1 of 2 cells are done"):
        serve(crew, (0, "0 1\n"), (1, ""))
    assert not local_store.exists(keys.failure(run.grid.cells[1].id, "pod"))


@pytest.mark.parametrize("line", ["4\n", "0 x\n", "\n", "0  1\n"])
def test_a_line_that_no_launcher_sends_is_refused(local_store, run, line):
    with pytest.raises(InvalidInput, match=r"the index is .*; allowed: 0 to 3, or quit"):
        serve(Crew(local_store, run, {}), (0, line))


def test_killed_it_kills_its_workers(local_store, run):
    def kill(worker, show):
        worker.crew.pool.kill()
        return "committed"

    crew = Crew(local_store, run, {0: kill})
    crew.train(1, [0])

    assert [w.killed for w in crew.workers] == [True]
