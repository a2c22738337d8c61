"""The columns of results: one list of them makes the schemas, and every setting of a cell is in it."""

from __future__ import annotations

from experiment.columns import (
    CELL_COLUMNS,
    COLUMNS,
    ORIGIN_COLUMNS,
    PREDICTIONS,
    SCHEMA_VERSION,
    TABLES,
    cell_settings,
    cell_values,
    describe_architectures,
    prediction_values,
)
from experiment.extensions import NEUTRAL
from experiment.grid import load_grid
from experiment.members import MEMBERS, Member
from experiment.provenance import Provenance

CELL = load_grid("smoke").cells[1]


def test_a_later_column_has_the_version_that_brought_it_and_the_newest_is_today_s():
    versions = {c.since for columns in COLUMNS.values() for c in columns.values()}

    assert max(versions) == SCHEMA_VERSION
    assert min(versions) == 1


def test_every_later_column_of_epochs_has_a_neutral_value_of_its_type():
    later = {n: c for n, c in COLUMNS["epochs"].items() if c.since > 1}

    assert {"architectures", "device", "arithmetic", "training_seconds", "validation_error", *NEUTRAL} < set(later)
    kinds = {"string": str, "double": float, "int64": int}
    assert all(c.like in CELL_COLUMNS or type(c.neutral) is kinds[str(c.type)] for c in later.values())


def test_the_columns_of_the_origin_are_facts_of_the_provenance():
    assert set(ORIGIN_COLUMNS) <= set(Provenance.__dataclass_fields__)
    assert set(ORIGIN_COLUMNS) <= set(TABLES["epochs"].names)


def test_architectures_are_the_members_shapes_in_the_order_of_their_names():
    assert describe_architectures(MEMBERS.values()) == "3x1x8+3x2x16"
    assert describe_architectures([Member(name="A", bricks=2, blocks=1, filters=4)]) == "2x1x4"


def test_the_settings_of_a_cell_are_its_columns_without_the_counts_of_examples():
    values = cell_values(CELL, train_examples=5, test_examples=6)

    assert set(values) == set(CELL_COLUMNS)
    assert cell_settings(CELL) == {n: v for n, v in values.items() if n not in ("train_examples", "test_examples")}


def test_predictions_repeat_what_tells_cells_apart():
    assert prediction_values(CELL) == {
        "cell_id": CELL.id,
        "dataset": CELL.dataset,
        "method": CELL.method,
        "alpha": CELL.alpha,
        "seed": CELL.seed,
    }
    assert PREDICTIONS.names[:5] == list(prediction_values(CELL))
