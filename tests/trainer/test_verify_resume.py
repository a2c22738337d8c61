"""The command that shows that cells resume exactly, and the comparison that it rests on."""

import numpy as np
import pytest

from experiment import keys, results
from tests import factories
from trainer.verify_resume import differing_columns, verify_resume


@pytest.fixture
def stores(local_store, make_cell):
    """Two stores with the same results of a cell, timings aside; ``change`` changes one column of the second."""
    cell = make_cell()
    other = type(local_store)(local_store.root.with_name("other"), create=True)
    logits = list(np.zeros((4, 10), np.float32))
    settings = results.repeat_values(results.prediction_values(cell), 4)
    columns = {**settings, "model": ["A"] * 4, "example": [0, 1, 2, 3], "label": [0] * 4}
    columns |= {"prediction": [0] * 4, "logits": logits}

    def fill(**changed):
        for store, differing in ((local_store, {}), (other, changed)):
            epochs = factories.epochs_table(cell)
            for name, value in differing.items():
                place = epochs.column_names.index(name)
                epochs = epochs.set_column(place, epochs.field(name), [[value] * epochs.num_rows])
            store.put(keys.epochs(cell), results.to_bytes(epochs))
            predictions = results.to_table("predictions", columns, {"attempt": "made"})
            store.put(keys.predictions(cell), results.to_bytes(predictions))
        return differing_columns(cell, local_store, other)

    return fill


def test_equal_results_differ_in_nothing(stores):
    assert stores() == []


def test_timings_may_differ(stores):
    assert stores(seconds=77.0, images_per_second=1.0) == []


def test_the_last_bit_of_a_figure_counts(stores):
    assert stores(test_error=float(np.nextafter(0.25, 1))) == ["test_error"]


def test_killed_processes_resume_bit_identical(make_cell, capsys):
    """The command that a user runs, on a smaller cell: real processes, SIGKILL."""
    assert verify_resume(make_cell(epochs=30, train_examples=160, test_examples=64), kills=2) == 0
    said = capsys.readouterr().out
    assert said.count("killed with SIGKILL") >= 1
    assert "bit-identical" in said
