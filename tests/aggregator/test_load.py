"""load() and load_predictions() answer, or refuse by name."""

from __future__ import annotations

import pytest

from aggregator import load
from aggregator.load import load_predictions
from experiment import keys
from experiment.errors import InvalidInput, NotFound
from experiment.grid import Grid
from tests.aggregator import factories


def test_load_refuses_by_name_or_leaves_out_and_names(store, cells):
    store.put(keys.epochs(cells[0]), b"PAR1")

    with pytest.raises(InvalidInput, match=rf"1 results cannot be used as they are: .*{cells[0].id}"):
        load(store.url)
    frame = load(store.url, strict=False)
    assert frame["cell_id"].nunique() == 12
    assert cells[0].id in frame.attrs["problems"][0]


def test_a_run_is_its_cells_only(store, cells):
    factories.freeze_run(store, Grid(name="part", cells=cells[:2]), "part")

    assert set(load(f"{store.url}/runs/part")["cell_id"]) == {c.id for c in cells[:2]}
    assert load(f"{store.url}/runs/part/").equals(load(f"file://{store.url}/runs/part"))


def test_a_run_that_is_not_there_is_refused_with_those_that_are(store):
    with pytest.raises(InvalidInput, match="the run is 'mode'; allowed: made"):
        load(f"{store.url}/runs/mode")


def test_the_predictions_of_a_cell_have_a_row_for_each_model_and_example(store, cells):
    frame = load_predictions(store.url, cells[4].id)

    assert frame.groupby("model").size().to_dict() == {"Ens": 360, "M": 360, "ST": 360}
    assert len(frame["logits"].iloc[0]) == 10


def test_a_cell_without_predictions_is_named(store):
    with pytest.raises(NotFound, match="holds no predictions of cell 'digits-x'"):
        load_predictions(store.url, "digits-x")
