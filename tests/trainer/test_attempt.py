"""An attempt at a cell: what it commits, what it finds, and the record it leaves when it fails."""

import contextlib
import dataclasses
import json
import tempfile
import threading
import time

import keras
import numpy as np
import pytest

from experiment import keys, records, results
from experiment.errors import Diverged, Interrupted, InvalidInput, Transient
from experiment.hold import hold_cell
from experiment.inference import FIGURES, find_wrong_figure
from experiment.lease import HeldLease, Holder, end_lease, newest_lease
from experiment.provenance import Provenance, read_provenance
from trainer import attempt, checkpoint
from trainer.attempt import attempt_cell
from trainer.engine import TENSORFLOW, Engine
from trainer.model import export, inference, training
from trainer.options import AttemptOptions
from trainer.verify_resume import differing_columns


@pytest.fixture
def make_options(local_store, tiny):
    def make(**fields):
        base = AttemptOptions(
            store=local_store,
            attempt="first",
            load=lambda name: tiny,
            stopping=lambda: False,
            git_commit="abc",
        )
        return dataclasses.replace(base, **fields)

    return make


def test_a_committed_cell_has_results_predictions_and_models_and_nothing_else_is_left(
    make_options, make_cell, tiny, tmp_path
):
    cell, options = make_cell(), make_options(checkpoint_seconds=0.0)
    assert attempt_cell(cell, options) == "committed"
    store = options.store
    epochs = results.from_bytes(store.read(keys.epochs(cell)), "epochs", "epochs")
    assert epochs.num_rows == cell.epochs * 3
    assert epochs["model"].to_pylist()[:3] == ["A", "B", "Ens"]
    facts = read_provenance(epochs.schema, "epochs")
    assert set(facts) >= {f.name for f in dataclasses.fields(Provenance)}
    assert (facts["attempt"], facts["git_commit"], facts["dataset_sha256"]) == ("first", "abc", tiny.sha256)
    predictions = results.from_bytes(store.read(keys.predictions(cell)), "predictions", "predictions").to_pandas()
    for member in cell.members:
        path = tmp_path / f"{member.name}.keras"
        path.write_bytes(store.read(keys.model(cell.id, member.name)))
        model = keras.saving.load_model(path, safe_mode=True)
        logits = np.stack(predictions[predictions.model == member.name].logits)
        np.testing.assert_allclose(model(tiny.x_test.astype(np.float32)), logits, rtol=1e-3, atol=2e-3)
    ensemble = predictions[predictions.model == "Ens"]
    last = epochs.filter(
        [
            m == "Ens" and e == cell.epochs
            for m, e in zip(epochs["model"].to_pylist(), epochs["epoch"].to_pylist(), strict=True)
        ]
    )
    assert last["test_error"].to_pylist() == [np.mean(ensemble.prediction != ensemble.label)]
    assert (
        list(store.list(keys.CHECKPOINTS)) == list(store.list(keys.PROGRESS)) == list(store.list(keys.FAILURES)) == []
    )
    lines = [json.loads(x) for x in store.read(keys.log(cell.id, "first")).splitlines()]
    assert [x["message"] for x in lines if x["message"] != "checkpoint"] == ["started", "committed"]


def facts_of(store, cell):
    return read_provenance(results.from_bytes(store.read(keys.epochs(cell)), "epochs", "epochs").schema, "epochs")


def test_a_commit_says_what_inference_takes(make_options, make_cell, local_store):
    cell = make_cell()
    attempt_cell(cell, make_options())
    facts = facts_of(local_store, cell)

    assert list(facts["inference"]) == list(cell.models)
    assert all(set(own) == set(FIGURES) for own in facts["inference"].values())
    assert find_wrong_figure(facts["inference"], cell) == ""
    assert facts["processor"]


def test_a_speed_that_cannot_be_measured_loses_no_cell(make_options, make_cell, local_store, monkeypatch):
    def fail(*_):
        raise MemoryError("too large")

    cell = make_cell()
    monkeypatch.setattr(inference, "measure_speeds", fail)

    assert attempt_cell(cell, make_options()) == "committed"
    assert {name for own in facts_of(local_store, cell)["inference"].values() for name in own} == set(FIGURES[:2])
    assert "the speed of inference was not measured: " in local_store.read(keys.log(cell.id, "first")).decode()


def test_who_is_told_to_stop_when_the_training_is_over_commits_without_measuring(
    make_options, make_cell, local_store, monkeypatch
):
    cell, stopped = make_cell(), []
    train = training.train_cell
    monkeypatch.setattr(training, "train_cell", lambda *a, **k: (train(*a, **k), stopped.append(True))[0])
    monkeypatch.setattr(inference, "measure_speeds", None)

    assert attempt_cell(cell, make_options(stopping=lambda: bool(stopped))) == "committed"
    assert {name for own in facts_of(local_store, cell)["inference"].values() for name in own} == set(FIGURES[:2])


def test_a_finished_cell_is_found_not_trained(make_options, make_cell, monkeypatch):
    attempt_cell(make_cell(), make_options())
    monkeypatch.setattr(training, "train_cell", None)
    assert attempt_cell(make_cell(), make_options(attempt="second")) == "found"


def test_a_cell_that_another_process_trains_is_held(make_options, make_cell):
    options = make_options()
    with hold_cell(options.store, make_cell().id, Holder(name="another")):
        assert attempt_cell(make_cell(), options) == "held"


def test_an_attempt_that_loses_its_cell_gives_it_up_without_a_failure(
    make_options, make_cell, local_store, monkeypatch
):
    monkeypatch.setattr(training, "SECONDS_PER_CALL", 0.0)
    cell, ended = make_cell(), []

    def show(progress):
        if progress.step >= 4 and not ended:
            ended.append(end_lease(local_store, cell.id, *newest_lease(local_store, cell.id)))
            time.sleep(1.0)

    held = attempt_cell(cell, make_options(show=show, holder=Holder(name="stalled", term=0.2)))

    assert held == "held"
    assert list(local_store.list(keys.FAILURES)) == []
    assert "is in the hands of another process now" in local_store.read(keys.log(cell.id, "first")).decode()
    assert attempt_cell(cell, make_options(attempt="second")) == "committed"
    assert list(local_store.list(keys.LEASES)) == []


def test_an_interrupted_attempt_leaves_a_checkpoint_and_the_next_goes_on_to_the_same_numbers(
    make_options, make_cell, local_store
):
    cell = make_cell()
    looks = iter([False] * 4)
    with pytest.raises(Interrupted, match="told to stop at step"):
        attempt_cell(cell, make_options(stopping=lambda: next(looks, True)))
    record = records.parse_record(local_store.read(keys.failure(cell.id, "first")), "record")
    assert (record.kind, record.exit_code) == ("interrupted", 143)
    step = checkpoint.newest_checkpoint(local_store, cell.id, print).step
    assert attempt_cell(cell, make_options(attempt="second")) == "committed"
    epochs = results.from_bytes(local_store.read(keys.epochs(cell)), "epochs", "epochs")
    assert read_provenance(epochs.schema, "x")["resumed_from_step"] == step > 0
    undisturbed = type(local_store)(local_store.root.with_name("other"), create=True)
    attempt_cell(cell, make_options(store=undisturbed))
    assert differing_columns(cell, local_store, undisturbed) == []


def test_a_store_that_keeps_what_is_left_fails_no_committed_cell(make_options, make_cell, local_store, monkeypatch):
    cell, delete = make_cell(), local_store.delete

    def refuse(key):
        if key.startswith((keys.CHECKPOINTS, keys.PROGRESS)):
            raise Transient("away")
        delete(key)

    monkeypatch.setattr(local_store, "delete", refuse)
    assert attempt_cell(cell, make_options(checkpoint_seconds=0.0)) == "committed"
    assert attempt_cell(cell, make_options(attempt="second")) == "found"
    assert list(local_store.list(keys.FAILURES)) == []


def test_told_to_stop_while_the_store_is_away_an_attempt_is_interrupted(
    make_options, make_cell, local_store, monkeypatch
):
    """Nothing is waited out here, as for a person at a terminal: the signal decides, not the outage."""
    stopped = []

    def exists(key):
        stopped.append(True)
        raise Transient("away")

    monkeypatch.setattr(local_store, "exists", exists)
    with pytest.raises(Interrupted, match="told to stop while the store was away; launch again to go on"):
        attempt_cell(make_cell(), make_options(stopping=lambda: bool(stopped)))


class Elsewhere(Engine):
    """TensorFlow on a machine of another name."""

    def device_name(self):
        return "another device"


def test_a_result_names_every_device_it_was_trained_on(make_options, make_cell, local_store):
    cell = make_cell(epochs=6)
    steps = []
    for name, engine in (("first", TENSORFLOW), ("second", TENSORFLOW), ("third", Elsewhere())):
        looks = iter([False])
        with pytest.raises(Interrupted):
            attempt_cell(
                cell, make_options(attempt=name, engine=engine, stopping=lambda looks=looks: next(looks, True))
            )
        steps.append(checkpoint.newest_checkpoint(local_store, cell.id, print).step)
    assert attempt_cell(cell, make_options(attempt="last", git_commit="def")) == "committed"
    origins = facts_of(local_store, cell)["trained_on"]

    assert [o["from_step"] for o in origins] == [0, steps[1], steps[2]]
    assert [o["device"] == "another device" for o in origins] == [False, True, False]
    assert [o["git_commit"] for o in origins] == ["abc", "abc", "def"]
    assert all("tensorflow" in o["packages"] for o in origins)


def test_a_damaged_checkpoint_is_named_in_the_log_and_an_older_one_used(make_options, make_cell, local_store):
    cell = make_cell()
    looks = iter([False] * 4)
    with pytest.raises(Interrupted):
        attempt_cell(cell, make_options(stopping=lambda: next(looks, True)))
    local_store.put(keys.checkpoint(cell.id, 999_999_999), b"torn")
    assert attempt_cell(cell, make_options(attempt="second")) == "committed"
    log = local_store.read(keys.log(cell.id, "second")).decode()
    assert "skipped" in log
    assert "999999999.safetensors is not a whole checkpoint" in log


def test_a_diverged_cell_leaves_a_record_that_says_where(make_options, make_cell, local_store):
    cell = make_cell(learning_rate=1e30)
    with pytest.raises(Diverged):
        attempt_cell(cell, make_options())
    record = records.parse_record(local_store.read(keys.failure(cell.id, "first")), "record")
    assert (record.kind, record.exit_code) == ("diverged", 43)
    assert "epoch 1, step" in record.message
    assert not local_store.exists(keys.epochs(cell))


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (InvalidInput("no such data set"), "invalid", 42),
        (Transient("server away"), "transient", 75),
        (RuntimeError("bug"), "error", 1),
    ],
)
def test_every_failure_is_recorded_with_its_kind(make_options, make_cell, local_store, error, kind, code):
    def load(name):
        raise error

    with pytest.raises(type(error)):
        attempt_cell(make_cell(), make_options(load=load))
    record = records.parse_record(local_store.read(keys.failure(make_cell().id, "first")), "record")
    assert (record.kind, record.exit_code, record.message) == (kind, code, str(error))
    assert bool(record.traceback) == (kind == "error")


def test_a_commit_that_cannot_succeed_is_found_before_the_training(make_options, make_cell, monkeypatch, tmp_path):
    export.rehearse_export.cache_clear()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    monkeypatch.setattr(training, "train_cell", None)
    with pytest.raises(InvalidInput, match="set TMPDIR"):
        attempt_cell(make_cell(), make_options())


def test_a_stalled_holder_that_comes_back_at_the_end_and_its_successor_commit_once(
    make_options, make_cell, local_store, monkeypatch
):
    """Both have trained the cell: the first commit stands and the second is told so."""
    monkeypatch.setattr(
        attempt, "hold_cell", lambda store, cell, holder: contextlib.nullcontext(HeldLease(store, 1, LEASE))
    )
    barrier, said = threading.Barrier(2), []

    def work(name):
        said.append(attempt_cell(make_cell(epochs=1), make_options(attempt=name)))

    monkeypatch.setattr(training, "train_cell", _one_at_a_time(training.train_cell, barrier))
    threads = [threading.Thread(target=work, args=(n,)) for n in ("one", "two")]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(said) == ["committed", "found"]


LEASE = records.Lease(cell="c", holder="both", seat="", token="")


def _one_at_a_time(original, barrier):
    """A process has one program's state, so in this one the trainings take turns; then both commit at once."""
    lock = threading.Lock()

    def train(*args, **kwargs):
        with lock:
            result = original(*args, **kwargs)
        barrier.wait(60)
        return result

    return train
