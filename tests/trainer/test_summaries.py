"""Summaries: what TensorBoard itself reads from the event files of a cell, whatever happened while it trained."""

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiment import keys, results
from experiment.errors import Interrupted
from trainer.attempt import attempt_cell
from trainer.options import AttemptOptions


def options(store, tiny, name="first", *, tensorboard=True, stopping=lambda: False):
    return AttemptOptions(store=store, attempt=name, load=lambda _: tiny, stopping=stopping, tensorboard=tensorboard)


def board(store, cell):
    return EventAccumulator(str(store.local_path(f"{keys.TENSORBOARD}{cell.id}"))).Reload()


def stop_at(looks):
    count = iter(range(looks))
    return lambda: next(count, None) is None


def test_tensorboard_reads_the_committed_figures_of_every_epoch_and_model(local_store, tiny, make_cell):
    cell = make_cell()
    attempt_cell(cell, options(local_store, tiny))
    seen = board(local_store, cell)
    committed = results.from_bytes(local_store.read(keys.epochs(cell)), "epochs", "epochs").to_pandas()
    for model in cell.models:
        rows = committed[committed.model == model]
        for column in ("train_error", "train_cost", "test_error", "test_cross_entropy"):
            events = seen.Scalars(f"{column}/{model}")
            assert [e.step for e in events] == rows.epoch.tolist() == [1, 2, 3]
            np.testing.assert_allclose([e.value for e in events], rows[column], rtol=1e-6)
    np.testing.assert_allclose([e.value for e in seen.Scalars("epoch/learning_rate")], rows.learning_rate)


def test_the_graph_has_the_members_their_layers_and_the_parts_of_a_step_as_scopes(local_store, tiny, make_cell):
    cell = make_cell()
    attempt_cell(cell, options(local_store, tiny))
    names = [node.name for node in board(local_store, cell).Graph().node]
    assert {n.split("/")[0] for n in names} >= {"A", "B", "costs", "collaboration_l2", "gradient", "adam", "figures"}
    assert any(n.startswith("A/brick0/block0/conv1/") for n in names)
    assert not any("_1/" in n for n in names if n.startswith("A/brick"))  # each layer is one scope, entered once


@pytest.mark.parametrize("before", [True, False], ids=["from-the-start", "asked-for-on-relaunch"])
def test_an_interrupted_cell_ends_with_one_file_per_epoch(local_store, tiny, make_cell, before):
    cell, tries = make_cell(epochs=4), 0
    while True:
        tries += 1
        told = options(local_store, tiny, f"try{tries}", tensorboard=before or tries > 2, stopping=stop_at(5))
        try:
            attempt_cell(cell, told)
            break
        except Interrupted:
            continue
    assert tries > 2
    files = [key.rpartition(".tfevents.")[2] for key in local_store.list(f"{keys.TENSORBOARD}{cell.id}/")]
    assert files == ["0000000000.graph", *(f"{epoch:010d}.scalars" for epoch in range(1, 5))]
    assert [e.step for e in board(local_store, cell).Scalars("test_error/Ens")] == [1, 2, 3, 4]


def test_without_being_asked_nothing_is_put(local_store, tiny, make_cell):
    attempt_cell(make_cell(), options(local_store, tiny, tensorboard=False))
    assert list(local_store.list(keys.TENSORBOARD)) == []
