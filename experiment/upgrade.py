"""Brings tables of older schema versions to today's columns. Files never change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from experiment.cell import Cell
from experiment.columns import COLUMNS, TABLES, Column, cell_settings
from experiment.errors import InvalidInput
from experiment.members import MEMBERS


def fill_columns(
    table: pa.Table, name: str, facts: Mapping[str, Any], known: Mapping[str, Any], source: str
) -> pa.Table:
    """Returns the table with the columns that later schema versions brought, in today's order.

    A column takes its value from ``known``, else from the file's own provenance, else from what the cell's id proves,
    else it takes the column's neutral value.

    Args:
        table: rows of one cell, of a version that ``facts["schema_version"]`` gives.
        name: which of ``TABLES`` it is.
        known: values of columns of the cell, from its grid or its commit.

    Raises:
        InvalidInput: the value of a column without a neutral one is not known.
    """
    columns = COLUMNS[name]
    if set(table.column_names) - set(columns):
        return table  # not ours: the check of columns names them
    later = {n: c for n, c in columns.items() if c.since > facts["schema_version"] and n not in table.column_names}
    values = {**_prove_settings(table), **facts, **known} if later else {}
    if unknown := [n for n, c in later.items() if n not in values and c.neutral is None and not c.like]:
        given = f"{source} has results schema {facts['schema_version']}, which lacks {', '.join(unknown)}"
        raise InvalidInput(f"{given}; its commit holds them: read it with aggregator.load.load_predictions")
    for place, (column, added) in enumerate(columns.items()):
        if column in later:
            field = TABLES[name].field(column)
            older = table[added.like] if added.like else None
            made = _repeat(values.get(column, added.neutral), added, table.num_rows) if older is None else older
            table = table.add_column(place, field, made)
    return _with_lists_of_any_length(table, name)


def _with_lists_of_any_length(table: pa.Table, name: str) -> pa.Table:
    """Returns the table with logits as lists of any length; in version 1 their type says that there are ten."""
    for place, field in enumerate(table.schema):
        if pa.types.is_fixed_size_list(field.type) and field.name in COLUMNS[name]:
            wanted = TABLES[name].field(field.name)
            table = table.set_column(place, wanted, table[field.name].cast(wanted.type))
    return table


def _repeat(value: Any, column: Column, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, column.type), count)


def _prove_settings(table: pa.Table) -> dict[str, Any]:
    """Returns what follows from the settings of the table's cell, if they are known: see ``find_cell``."""
    rows = table.slice(0, 1).to_pylist()
    cell = find_cell(rows[0]) if rows else None
    return cell_settings(cell) if cell else {}


def find_cell(row: Mapping[str, Any]) -> Cell | None:
    """Returns the cell of a row of epochs of schema version 1, which names the members without their shapes.

    The cell's id is a digest of all its settings: with the suite's own members of these names they are proved if they
    give this id. None: members of a grid have these names, or the row is of another table.
    """
    try:
        settings = {name: row[name] for name in _SETTINGS}
        settings["members"] = tuple(MEMBERS[name] for name in row["members"].split("+"))
        counts = {name: row[name] for name in ("train_examples", "test_examples")}
        for given in ({}, counts, *({n: v} for n, v in counts.items())):  # a cell that uses all examples says 0
            cell = Cell(**settings, learning_rate=row["learning_rate_base"], **given)
            if cell.id == row["cell_id"]:
                return cell
    except (InvalidInput, KeyError):
        pass
    return None


_SETTINGS = ("dataset", "method", "alpha", "seed", "epochs", "batch_size", "weight_decay", "head", "precision")
