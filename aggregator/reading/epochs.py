"""Reads many ``epochs.parquet`` at once, checks every file, and names each one that cannot be used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from experiment import keys, results
from experiment.cell import Cell
from experiment.errors import ExperimentError, InvalidInput, describe_error
from experiment.ledger import Problem
from experiment.parallel import LOCAL_THREADS, map_batches
from experiment.provenance import read_provenance
from experiment.store import Store

READERS = 8  # threads that read from a distant store: some wait for their batches while others parse theirs
UNUSABLE = (pa.ArrowException, OSError, ValueError)  # what reading a torn, foreign or removed file raises


@dataclass(frozen=True, kw_only=True)
class Results:
    """The rows of all readable results.

    Attributes:
        epochs: rows of ``results.EPOCHS``, cell after cell.
        provenance: by cell id, what its file says it was made with.
        problems: the objects that cannot be used.
    """

    epochs: pa.Table
    provenance: Mapping[str, Mapping[str, Any]]
    problems: tuple[Problem, ...]


def read_epochs(
    store: Store,
    epoch_keys: Sequence[str],
    threads: int | None = None,
    cells: Mapping[str, Cell] = MappingProxyType({}),
) -> Results:
    """Reads the results under these keys of ``epochs.parquet``, each whole, with checksums, and checked against its key.

    Args:
        cells: by id, cells of frozen grids: they hold what files of older schema versions lack.
        threads: how many read at once; by default as many as suit the store.
    """
    threads = threads or (LOCAL_THREADS if store.local_path("") else READERS)
    return _join_results(map_batches(store, lambda batch: _read_batch(store, batch, cells), epoch_keys, threads))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Returns the rows as a DataFrame that may be written into, with texts as categories, since few of them differ."""
    # Columns of one type are converted together: one by one they would share Arrow's read-only memory. Pieces are joined
    # on the way: joined before, all rows would be in memory once more.
    frame: pd.DataFrame = table.replace_schema_metadata(None).to_pandas(strings_to_categorical=True)
    return frame


def drop_cells(frame: pd.DataFrame, cell_ids: Collection[str]) -> pd.DataFrame:
    """Returns the rows of all other cells."""
    if not cell_ids:
        return frame
    kept = frame[~frame["cell_id"].isin(list(cell_ids))].reset_index(drop=True)
    texts = kept.select_dtypes("category").columns
    return kept.assign(**{name: kept[name].cat.remove_unused_categories() for name in texts})


def encode_texts(table: pa.Table) -> pa.Table:
    """Returns the table in one piece, with its texts as codes of a dictionary, since few of them differ.

    Raises:
        ArrowInvalid: a text is not UTF-8.
    """
    table = table.combine_chunks().replace_schema_metadata(None)
    for i, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            column = table.column(i).dictionary_encode()
            for chunk in column.chunks:
                chunk.dictionary.validate(full=True)
            table = table.set_column(i, field.with_type(column.type), column)
    return table


def _join_results(parts: Sequence[Results]) -> Results:
    tables = [p.epochs for p in parts if p.epochs.num_rows] or [_empty_table()]
    return Results(
        epochs=pa.concat_tables(tables).unify_dictionaries(),
        provenance={cell: facts for p in parts for cell, facts in p.provenance.items()},
        problems=tuple(problem for p in parts for problem in p.problems),
    )


def _empty_table() -> pa.Table:
    return encode_texts(results.TABLES["epochs"].empty_table())


def _read_batch(store: Store, batch: Sequence[str], cells: Mapping[str, Cell]) -> Results:
    """Reads and checks results together, which is quick. If one is faulty, each is read alone, so that the others are kept."""
    try:
        return _check_files(store, batch, _read_files(store, batch), cells)
    except (*UNUSABLE, ExperimentError):
        return _join_results([_read_alone(store, key, cells) for key in batch])


def _read_files(store: Store, batch: Sequence[str]) -> Iterator[pa.Buffer]:
    root = store.local_path("")
    return map(pa.py_buffer, store.read_many(batch)) if root is None else (_read_file(root, key) for key in batch)


def _read_file(root: Path, key: str) -> pa.Buffer:
    with pa.OSFile(f"{root}/{key}") as file:  # Python's own files hold up the other threads more often
        return file.read_buffer()


def _read_alone(store: Store, key: str, cells: Mapping[str, Cell]) -> Results:
    source = f"{store.url}/{key}"
    try:
        data = store.read(key)
        results.from_bytes(data, "epochs", source)  # its errors say what is wrong with the file
        return _check_files(store, [key], [pa.py_buffer(data)], cells)
    except UNUSABLE as error:
        words = " ".join(str(error).split())
        reason = f"{source} is not a table of epochs ({words}); remove it and launch its run again"
    except ExperimentError as error:
        reason = describe_error(error)
    problem = Problem(key=key, reason=reason, cell=next(iter(keys.committed([key])), ""))
    return Results(epochs=_empty_table(), provenance={}, problems=(problem,))


def _check_files(
    store: Store, epoch_keys: Sequence[str], files: Iterable[pa.Buffer], cells: Mapping[str, Cell]
) -> Results:
    """Returns the rows of these files as one table, and each file's provenance.

    Raises:
        ExperimentError: a file is foreign, of another version, without rows, or the result of another cell.
        ArrowException, OSError, ValueError: a file is torn, foreign, or has other columns.
    """
    tables, provenance = [], []
    for key, file in zip(epoch_keys, files, strict=True):
        table, facts = _check_file(file, f"{store.url}/{key}", _find_known(cells, key))
        tables.append(table)
        provenance.append(facts)
    results.check_columns(tables[0].schema, "epochs", f"{store.url}/{epoch_keys[0]}")
    rows = encode_texts(pa.concat_tables(tables))  # refuses tables whose columns differ from the first one's
    starts = np.cumsum([0, *(t.num_rows for t in tables[:-1])])
    first_rows = rows.select(["dataset", "method", "cell_id"]).take(starts).to_pylist()
    for key, row in zip(epoch_keys, first_rows, strict=True):
        if key != keys.epochs_of(**row):
            cell = f"cell {row['cell_id']} of {row['dataset']}, {row['method']}"
            raise InvalidInput(f"{store.url}/{key} holds {cell}: it was copied to a wrong place; remove it")
    lengths = [t.num_rows for t in tables]
    for name in ("dataset", "method", "cell_id"):
        codes = rows[name].combine_chunks().indices.to_numpy()
        if (codes != np.repeat(codes[starts], lengths)).any():
            names = ", ".join(f"{store.url}/{key}" for key in epoch_keys)
            raise InvalidInput(f"{names} holds rows of several cells; remove it and launch its run again")
    cell_ids = [row["cell_id"] for row in first_rows]
    return Results(epochs=rows, provenance=dict(zip(cell_ids, provenance, strict=True)), problems=())


def _find_known(cells: Mapping[str, Cell], key: str) -> Cell | None:
    return next((cells[cell] for cell in keys.committed([key]) if cell in cells), None)


def _check_file(file: pa.Buffer, source: str, cell: Cell | None) -> tuple[pa.Table, dict[str, Any]]:
    # The bare reader: what pq.ParquetFile and pq.read_table add around it costs as much as the rows of a small file.
    reader = pq.ParquetReader()
    reader.open(pa.BufferReader(file), pre_buffer=False, page_checksum_verification=True)
    table = reader.read_all(use_threads=False)
    facts = read_provenance(table.schema, source)
    if facts.get("schema_version") != results.SCHEMA_VERSION:
        known = results.cell_settings(cell) if cell else {}
        table = results.upgrade_table(table, "epochs", source, known)
    if table.num_rows == 0:
        raise InvalidInput(f"{source} has no rows; remove it and launch its run again")
    return table, facts
