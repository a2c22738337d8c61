"""Stores that are not whole: one thing wrong in each, in a run of 13 cells whose digests fit what is there unless they are what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiment import keys, results
from experiment.cell import Cell
from experiment.store import Store
from tests.aggregator import factories

Columns = dict[str, np.ndarray]
HIT = 4  # the place in the grid of the cell that is damaged; an L2 one


def commit(store: Store, cell: Cell, *, epochs: Any = None, predictions: Any = None, **facts: object) -> None:
    """Commits a cell whose columns went through these functions first; its commit names what they leave."""
    tables = {}
    for name, change in (("epochs", epochs), ("predictions", predictions)):
        columns = {k: as_array(v) for k, v in getattr(factories, COLUMNS[name])(cell).items()}
        tables[name] = columns if change is None else change(columns) or columns
    shown = results.to_table("predictions", _as_lists(tables["predictions"]), factories.made_provenance(**facts))
    named = factories.put_artifacts(store, cell, results.to_bytes(shown))
    rows = results.to_table("epochs", _as_lists(tables["epochs"]), factories.made_provenance(**{**facts, **named}))
    store.put(keys.epochs(cell), results.to_bytes(rows))


COLUMNS = {"epochs": "epoch_columns", "predictions": "prediction_columns"}


def as_array(values: Any) -> np.ndarray:
    found = np.empty(len(values), object)
    found[:] = list(values)
    return found


def _as_lists(columns: Columns) -> dict[str, list]:
    return {name: list(values) for name, values in columns.items()}


def epochs(change: Callable[[Columns], Columns | None]) -> Callable[[Store, Sequence[Cell]], None]:
    """A change of the rows of one cell."""
    return lambda store, cells: commit(store, cells[HIT], epochs=change)


def predictions(change: Callable[[Columns], Columns | None]) -> Callable[[Store, Sequence[Cell]], None]:
    """A change of the predictions of one cell."""
    return lambda store, cells: commit(store, cells[HIT], predictions=change)


def facts(**changed: object) -> Callable[[Store, Sequence[Cell]], None]:
    """A change of what one cell's files say of their origin."""
    return lambda store, cells: commit(store, cells[HIT], **changed)


def put(column: str, value: Any, rows: Any = slice(None)) -> Callable[[Columns], None]:
    """Puts a value, or what a function makes of those there, into rows of a column."""

    def change(columns: Columns) -> None:
        for i in np.arange(len(columns[column]))[rows]:
            columns[column][i] = value(columns[column][i]) if callable(value) else value

    return change


def take(rows: Callable[[Columns], Any]) -> Callable[[Columns], Columns]:
    """Keeps these rows, by their places or by a mask."""
    return lambda columns: {name: values[rows(columns)] for name, values in columns.items()}


def all_right(columns: Columns) -> None:
    """Predicts what the label is, with logits that agree."""
    columns["prediction"] = columns["label"].copy()
    columns["logits"] = as_array(4 * np.eye(10, dtype=np.float32)[columns["label"].astype(int)])


def edit(key: Callable[[Cell], str], change: Callable[[bytes], bytes]) -> Callable[[Store, Sequence[Cell]], None]:
    """A change of the bytes of one file."""
    return lambda store, cells: store.put(key(cells[HIT]), change(store.read(key(cells[HIT]))))


def flip(data: bytes) -> bytes:
    """Changes a bit of the rows: of the last byte of the first column."""
    first = pq.read_metadata(pa.BufferReader(data)).row_group(0).column(0)
    damaged = bytearray(data)
    damaged[(first.dictionary_page_offset or first.data_page_offset) + first.total_compressed_size - 1] ^= 1
    return bytes(damaged)


def swap(key: Callable[[Cell], str]) -> Callable[[Store, Sequence[Cell]], None]:
    """Swaps the files of two cells."""

    def damage(store: Store, cells: Sequence[Cell]) -> None:
        first, second = (key(cells[i]) for i in (HIT, HIT + 1))
        kept = store.read(first)
        store.put(first, store.read(second))
        store.put(second, kept)

    return damage


def copy(store: Store, cells: Sequence[Cell]) -> None:
    """Puts the result of the next cell in the place of one."""
    store.put(keys.epochs(cells[HIT]), store.read(keys.epochs(cells[HIT + 1])))


def copy_predictions(store: Store, cells: Sequence[Cell]) -> None:
    """Puts the predictions of the next cell in the place of those that the commit names."""
    store.put(keys.predictions(cells[HIT]), store.read(keys.predictions(cells[HIT + 1])))


def swap_predictions(*, named: bool) -> Callable[[Store, Sequence[Cell]], None]:
    """Swaps the predictions of two cells; the commits name them, or are of the time before commits named any."""

    def damage(store: Store, cells: Sequence[Cell]) -> None:
        pair = cells[HIT], cells[HIT + 1]
        held = [store.read(keys.predictions(c)) for c in pair]
        for cell, data in zip(pair, reversed(held), strict=True):
            factories.commit_cell(store, cell, predictions=data if named else False)
            store.put(keys.predictions(cell), data)

    return damage


def shift(columns: Columns) -> None:
    """Calls each class by the next one's number, in labels, predictions and logits alike."""
    for name in ("label", "prediction"):
        put(name, lambda v: (v + 1) % 10)(columns)
    put("logits", lambda v: np.roll(v, 1))(columns)


def shift_labels_of_one_model(columns: Columns) -> Columns:
    """Does so for the first model alone."""
    first = {name: values[:360].copy() for name, values in columns.items()}
    shift(first)
    return {name: np.concatenate([first[name], values[360:]]) for name, values in columns.items()}


def add_model(columns: Columns) -> Columns:
    """Adds predictions of a model that the cell has not."""
    more = {name: values[:360] for name, values in columns.items()} | {"model": as_array(["Q"] * 360)}
    return {name: np.concatenate([values, more[name]]) for name, values in columns.items()}


def mingle(store: Store, cells: Sequence[Cell]) -> None:
    """Puts rows of another cell behind those of one."""
    tables = [pq.read_table(store.local_path(keys.epochs(cells[i]))) for i in (HIT, HIT + 1)]
    factories.replace_result(store, cells[HIT], pa.concat_tables([tables[0].slice(0, 59), tables[1].slice(59)]))
