"""What the environment gives to the attempts of a process, and how a held cell is waited for."""

import dataclasses
import io
import threading
import time

import pytest

from experiment import keys, records
from experiment.errors import Interrupted, InvalidInput
from experiment.grid import Grid
from experiment.hold import hold_cell
from experiment.lease import Holder, take_lease
from experiment.run import Run
from tests.factories import commit
from trainer import process
from trainer.model import training
from trainer.stopping import Stop


@pytest.fixture
def run(make_cell):
    cells = (make_cell(epochs=1), make_cell(epochs=1, seed=1))
    return Run(name="test", grid=Grid(name="test", cells=cells), provenance={"git_commit": "launched"})


@pytest.fixture
def options(local_store, run, tiny):
    found = process.attempt_options(local_store, run, Stop())
    return dataclasses.replace(found, load=lambda _: tiny)


def test_options_come_from_the_environment(local_store, run, monkeypatch):
    for name, value in {"ATTEMPT": "pod-uid", "CHECKPOINT_SECONDS": "7", "IMAGE": "image@sha256:1"}.items():
        monkeypatch.setenv(name, value)
    found = process.attempt_options(local_store, run, Stop(), tensorboard=True)

    assert (found.attempt, found.checkpoint_seconds, found.image) == ("pod-uid", 7, "image@sha256:1")
    assert (found.deterministic, found.tensorboard, found.jit) == (True, True, False)


def test_the_device_and_a_gpu_that_is_not_used_are_said_at_the_start(local_store, run, monkeypatch, caplog):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with caplog.at_level("INFO"):
        process.attempt_options(local_store, run, Stop())

    assert [r.message.partition(" ")[0] for r in caplog.records] == ["training", "CUDA_VISIBLE_DEVICES"]
    assert caplog.records[0].message.startswith("training on CPU ")


def test_the_images_commit_outranks_the_launchers(local_store, run, monkeypatch):
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    assert process.attempt_options(local_store, run, Stop()).git_commit == "launched"
    monkeypatch.setenv("GIT_COMMIT", "built")
    assert process.attempt_options(local_store, run, Stop()).git_commit == "built"


def test_an_impossible_variable_is_refused(local_store, run, monkeypatch):
    monkeypatch.setenv("DETERMINISTIC", "perhaps")
    with pytest.raises(InvalidInput, match="DETERMINISTIC is 'perhaps'"):
        process.attempt_options(local_store, run, Stop())


def test_a_cell_in_other_hands_is_waited_for_until_told_to_stop(run, options, monkeypatch, caplog):
    monkeypatch.setattr(process, "HELD_SECONDS", 0.01)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    held = hold_cell(options.store, run.grid.cells[0].id, Holder(name="another"))
    with held, caplog.at_level("WARNING"), pytest.raises(Interrupted, match="another process of this machine had"):
        process.train_one_cell(run, 0, stop, options)
    assert [r.message for r in caplog.records] == [
        f"{run.grid.cells[0].id} is in the hands of another process of this machine: waited for"
    ]


@pytest.mark.parametrize("end", ["committed", "released", "silent"])
def test_a_cell_in_other_hands_is_waited_for_and_taken_over_where_it_was_not_committed(run, options, monkeypatch, end):
    """The holder is on another machine: its lease is all that is seen of it."""
    monkeypatch.setattr(process, "HELD_SECONDS", 0.01)
    trained, cell, term = [], run.grid.cells[0], 0.6 if end == "silent" else 60.0
    monkeypatch.setattr(training, "train_cell", _noted(training.train_cell, trained))
    options = dataclasses.replace(options, holder=Holder(name="waiting", seat="job/0", term=term))
    lease = take_lease(options.store, cell.id, Holder(name="far", seat="job/1"))
    acts = {"committed": lambda: commit(options.store, cell), "released": lease.release, "silent": lambda: None}
    threading.Timer(0.3, acts[end]).start()

    assert process.train_one_cell(run, 0, threading.Event(), options) == 0
    assert len(trained) == (0 if end == "committed" else 1)
    assert options.store.exists(keys.epochs(cell))


def test_a_process_that_was_replaced_in_its_seat_does_not_replace_its_successor(run, options, monkeypatch):
    monkeypatch.setattr(process, "HELD_SECONDS", 0.05)
    stop, cell, seated = threading.Event(), run.grid.cells[0], Holder(name="pod", seat="job/0", term=1.0)
    successors = []

    def show(progress):
        if not successors:
            successors.append(take_lease(options.store, cell.id, seated))
            time.sleep(1.0)  # in which it finds out
            threading.Timer(0.5, stop.set).start()

    keep = threading.Thread(target=lambda: [s.renew() for _ in range(60) for s in successors if not time.sleep(0.05)])
    keep.start()
    with pytest.raises(Interrupted, match="told to stop while pod had"):
        process.train_one_cell(run, 0, stop, dataclasses.replace(options, holder=seated, show=show))
    keep.join()
    assert not successors[0].is_lost


def _noted(original, trained):
    def train(*args, **kwargs):
        trained.append(1)
        return original(*args, **kwargs)

    return train


def test_each_attempt_of_a_warm_worker_has_a_name_of_its_own(run, options):
    out = io.StringIO()
    assert process.run_warm_worker(run, io.StringIO("0\n1\nquit\n"), out, threading.Event(), options) == 0
    said = [records.parse_record(line, "output") for line in out.getvalue().splitlines()]

    assert [o.state for o in said if isinstance(o, records.Outcome)] == ["committed", "committed"]
    names = {p.attempt for p in said if isinstance(p, records.Progress)}
    assert len(names) == 2
    assert all(p.device.startswith("CPU ") for p in said if isinstance(p, records.Progress))
    assert all(name.startswith(options.attempt[:24]) for name in names)


def test_a_worker_of_a_pod_bears_the_pods_name_and_gives_up_its_seat_where_it_was_replaced(run, options, monkeypatch):
    tried, states = [], iter(["held", "committed", "committed"])
    monkeypatch.setattr(process, "attempt_cell", lambda cell, own: tried.append((cell, own)) or next(states))
    options = dataclasses.replace(options, holder=Holder(name="pod", seat="job/0"))
    lines, out = io.StringIO("0\n1\n0\nquit\n"), io.StringIO()

    assert process.run_warm_worker(run, lines, out, threading.Event(), options, of_pod=True) == 0
    assert [own.attempt for _, own in tried] == [options.attempt] * 3
    assert [own.holder.seat for _, own in tried] == ["job/0", "job/0", ""]
