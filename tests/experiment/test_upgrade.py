"""What a file of an older schema version lacks comes from its cell, its provenance or its id, or is neutral."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from experiment.cell import Cell
from experiment.columns import COLUMNS, SCHEMA_VERSION, TABLES, cell_values
from experiment.errors import InvalidInput
from experiment.extensions import NEUTRAL
from experiment.grid import load_grid
from experiment.upgrade import fill_columns, find_cell
from tests.factories import epochs_table

CELL = load_grid("demo").cells[1]
FACTS = {"schema_version": 1, "device": "a GPU", "arithmetic": "bfloat16", "training_seconds": 7.0}
LATER = ("architectures", "device", "arithmetic", "training_seconds")


def old(cell=CELL, name="epochs"):
    return epochs_table(cell).select([n for n, c in COLUMNS[name].items() if c.since == 1])


def first(table):
    return {n: table[n][0].as_py() for n in LATER}


def test_columns_come_from_the_provenance_and_the_id_in_today_s_order():
    table = fill_columns(old(), "epochs", FACTS, {}, "it")

    assert table.schema.equals(TABLES["epochs"])
    assert first(table) == {"architectures": "3x1x8+3x2x16", **{n: FACTS[n] for n in LATER[1:]}}


def test_what_is_known_of_the_cell_outranks_the_rest_and_what_nobody_knows_is_neutral():
    known = fill_columns(old(), "epochs", FACTS, {"architectures": "1x1x1+2x2x2", "device": "it"}, "it")
    unknown = fill_columns(old(load_grid("smoke").cells[1]), "epochs", {"schema_version": 1}, {}, "it")

    assert (first(known)["architectures"], first(known)["device"]) == ("1x1x1+2x2x2", "it")
    assert first(unknown) | {"training_seconds": 0} == {**dict.fromkeys(LATER, ""), "training_seconds": 0}
    assert math.isnan(first(unknown)["training_seconds"])


def test_a_column_without_a_neutral_value_must_be_known():
    names = [n for n, c in COLUMNS["predictions"].items() if c.since == 1]
    table = TABLES["predictions"].empty_table().select(names)
    with pytest.raises(
        InvalidInput, match=r"it has results schema 1, which lacks dataset, method, alpha, seed; .*load"
    ):
        fill_columns(table, "predictions", FACTS, {}, "it")
    values = {"dataset": "digits", "method": "ce", "alpha": 0.1, "seed": 1}

    assert fill_columns(table, "predictions", FACTS, values, "it").schema.equals(TABLES["predictions"])


def test_a_foreign_table_is_left_to_the_check_of_columns():
    table = pa.table({"x": [1]})

    assert fill_columns(table, "epochs", FACTS, {}, "it") is table


def test_a_table_of_today_is_not_changed():
    table = epochs_table(CELL)

    assert fill_columns(table, "epochs", {"schema_version": SCHEMA_VERSION}, {}, "it") is table


def test_a_table_of_version_2_has_no_teacher():
    table = epochs_table(CELL).drop_columns(["teacher"])
    today = fill_columns(table, "epochs", {"schema_version": 2}, {}, "it")

    assert today.schema.equals(TABLES["epochs"])
    assert set(today["teacher"].to_pylist()) == {""}


@pytest.mark.parametrize(
    "counts", [{}, {"train_examples": 500}, {"test_examples": 50}, {"train_examples": 500, "test_examples": 50}]
)
def test_a_cell_of_the_suite_s_own_members_is_proved_by_its_id(counts):
    cell = Cell.from_dict({**CELL.as_dict(), **counts})
    row = cell_values(cell, train_examples=cell.train_examples or 1437, test_examples=cell.test_examples or 360)

    assert find_cell(row) == cell
    assert find_cell(row | {"seed": 9}) is None
    assert find_cell(row | {"members": "ST+X"}) is None
    assert find_cell(row | {"epochs": 0}) is None


def test_what_no_cell_of_then_had_is_neutral_and_the_weight_of_an_epoch_was_alpha():
    table = fill_columns(old(), "epochs", FACTS, {}, "it")
    row = table.slice(0, 1).to_pylist()[0]

    assert {n: row[n] for n in NEUTRAL} == NEUTRAL | {"pull": "", "teacher": ""}
    assert math.isnan(row["validation_error"])
    assert table["collaboration_weight"].unique().to_pylist() == [CELL.alpha]
