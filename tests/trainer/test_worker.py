"""The protocol of the warm worker, without training."""

import contextlib
import io
import os
import threading

import pytest

from experiment import records
from experiment.errors import Diverged, Interrupted, InvalidInput
from experiment.grid import Grid
from experiment.records import Outcome
from experiment.run import Run
from trainer.worker import answer_indexes, tell_launcher


@pytest.fixture
def run(make_cell):
    return Run(name="test", grid=Grid(name="test", cells=(make_cell(), make_cell(seed=1))))


def answers(run, text, attempt):
    out = io.StringIO()
    answer_indexes(run, io.StringIO(text), out, threading.Event(), attempt)
    return [records.parse_record(line, "output") for line in out.getvalue().splitlines()]


def test_every_index_gets_one_outcome(run):
    got = answers(run, "1\n0\n1\nquit\n", lambda index: ("committed", "found")[index])

    cells = [c.id for c in run.grid.cells]
    assert [(o.index, o.cell, o.state) for o in got] == [
        (1, cells[1], "found"),
        (0, cells[0], "committed"),
        (1, cells[1], "found"),
    ]


@pytest.mark.parametrize(
    ("error", "kind"), [(Diverged("cost is nan"), "diverged"), (ZeroDivisionError("a bug"), "error")]
)
def test_a_failed_cell_does_not_end_the_worker(run, error, kind):
    def attempt(index):
        if index == 0:
            raise error
        return "committed"

    got = answers(run, "0\n1\nquit\n", attempt)

    assert [(o.state, o.kind, o.message) for o in got] == [("failed", kind, str(error)), ("committed", "", "")]


@pytest.mark.parametrize("line", ["2", "-1", "one", "", "²"])
def test_an_index_that_no_cell_has_is_refused(run, line):
    with pytest.raises(InvalidInput, match=r"the index is .*; allowed: 0 to 1, or quit"):
        answers(run, f"{line}\nquit\n", lambda index: "committed")


def test_an_input_that_ends_without_quit_stops_the_worker(run):
    with pytest.raises(Interrupted, match="told to stop"):
        answers(run, "", lambda index: "committed")


def test_a_worker_that_is_told_to_stop_while_idle_stops(run):
    stop, silent = threading.Event(), threading.Event()

    def lines():
        silent.wait(20)
        yield "quit\n"

    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Interrupted):
        answer_indexes(run, lines(), io.StringIO(), stop, lambda index: "committed")
    silent.set()


def test_a_launcher_that_no_longer_reads_stops_the_worker_and_is_no_failure_of_the_cell():
    reading, writing = os.pipe()
    os.close(reading)
    stop = threading.Event()
    out = os.fdopen(writing, "w")
    tell_launcher(out, Outcome(index=0, cell="c", state="committed"), stop)

    assert stop.is_set()
    with contextlib.suppress(BrokenPipeError):
        out.close()
