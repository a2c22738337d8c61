"""What the environment gives to the attempts of a process, and how a held cell is waited for."""

import dataclasses
import io
import threading

import pytest

from experiment import records
from experiment.errors import Interrupted, InvalidInput
from experiment.grid import Grid
from experiment.run import Run
from trainer import process


@pytest.fixture
def run(make_cell):
    cells = (make_cell(epochs=1), make_cell(epochs=1, seed=1))
    return Run(name="test", grid=Grid(name="test", cells=cells), provenance={"git_commit": "launched"})


@pytest.fixture
def options(local_store, run, tiny):
    found = process.attempt_options(local_store, run, threading.Event())
    return dataclasses.replace(found, load=lambda _: tiny)


def test_options_come_from_the_environment(local_store, run, monkeypatch):
    for name, value in {"ATTEMPT": "pod-uid", "CHECKPOINT_SECONDS": "7", "IMAGE": "image@sha256:1"}.items():
        monkeypatch.setenv(name, value)
    found = process.attempt_options(local_store, run, threading.Event(), tensorboard=True)

    assert (found.attempt, found.checkpoint_seconds, found.image) == ("pod-uid", 7, "image@sha256:1")
    assert (found.deterministic, found.tensorboard, found.jit) == (True, True, False)


def test_the_images_commit_outranks_the_launchers(local_store, run, monkeypatch):
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    assert process.attempt_options(local_store, run, threading.Event()).git_commit == "launched"
    monkeypatch.setenv("GIT_COMMIT", "built")
    assert process.attempt_options(local_store, run, threading.Event()).git_commit == "built"


def test_an_impossible_variable_is_refused(local_store, run, monkeypatch):
    monkeypatch.setenv("DETERMINISTIC", "perhaps")
    with pytest.raises(InvalidInput, match="DETERMINISTIC is 'perhaps'"):
        process.attempt_options(local_store, run, threading.Event())


def test_a_held_cell_is_tried_again_until_told_to_stop(run, options, monkeypatch):
    monkeypatch.setattr(process, "HELD_SECONDS", 0.01)
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    with options.store.claim(run.grid.cells[0].id), pytest.raises(Interrupted, match="another process of this machine"):
        process.train_one_cell(run, 0, stop, options)


def test_each_attempt_of_a_warm_worker_has_a_name_of_its_own(run, options):
    out = io.StringIO()
    assert process.run_warm_worker(run, io.StringIO("0\n1\nquit\n"), out, threading.Event(), options) == 0
    said = [records.parse_record(line, "output") for line in out.getvalue().splitlines()]

    assert [o.state for o in said if isinstance(o, records.Outcome)] == ["committed", "committed"]
    names = {p.attempt for p in said if isinstance(p, records.Progress)}
    assert len(names) == 2
    assert all(name.startswith(options.attempt[:24]) for name in names)
