"""Reads many results at once, checks every file, and names those that cannot be used instead of leaving them out quietly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiment import keys, results
from experiment.errors import ExperimentError, InvalidInput, describe_error
from experiment.ledger import Problem
from experiment.parallel import map_batches
from experiment.store import Store

BROKEN = (pa.ArrowException, OSError, ValueError)  # what reading a file raises that is torn, foreign or gone


@dataclass(frozen=True, kw_only=True)
class Results:
    """The rows of all readable results.

    Attributes:
        epochs: rows of ``results.EPOCHS``, cell after cell.
        provenance: by cell id, what its files say they were made with.
        problems: the objects that could not be used.
    """

    epochs: pa.Table
    provenance: Mapping[str, Mapping[str, Any]]
    problems: tuple[Problem, ...]


def read_epochs(store: Store, found: Sequence[str], threads: int | None = None) -> Results:
    """The results under these keys of ``epochs.parquet``, each read whole with checksums and checked against its key.

    Args:
        threads: how many read at once; by default as many as suit the store.
    """
    return _together(map_batches(store, lambda batch: _read_batch(store, batch), found, threads))


def _together(parts: Sequence[Results]) -> Results:
    tables = [p.epochs for p in parts if p.epochs.num_rows] or [encoded(results.TABLES["epochs"].empty_table())]
    return Results(
        epochs=pa.concat_tables(tables).unify_dictionaries(),
        provenance={cell: facts for p in parts for cell, facts in p.provenance.items()},
        problems=tuple(problem for p in parts for problem in p.problems),
    )


def _read_batch(store: Store, found: Sequence[str]) -> Results:
    """These results, checked together, which is quick; if anything is wrong each alone, to name what is and keep the rest."""
    root = store.local_path("")
    try:
        return _checked(store, found, (_file(store, root, key) for key in found))
    except (*BROKEN, ExperimentError):
        return _together([_read_alone(store, key) for key in found])


def _file(store: Store, root: Path | None, key: str) -> pa.Buffer:
    if root is None:
        return pa.py_buffer(store.read(key))
    with pa.OSFile(f"{root}/{key}") as file:  # Python's own files keep the other threads waiting more often
        return file.read_buffer()


def _read_alone(store: Store, key: str) -> Results:
    source = f"{store.url}/{key}"
    try:
        data = store.read(key)
        results.from_bytes(data, "epochs", source)  # which says what is wrong with the file
        return _checked(store, [key], [pa.py_buffer(data)])
    except BROKEN as error:
        reason = (
            f"{source} is not a table of epochs ({' '.join(str(error).split())}); remove it and launch its run again"
        )
    except ExperimentError as error:
        reason = describe_error(error)
    problem = Problem(key=key, reason=reason, cell=next(iter(keys.committed([key])), ""))
    return Results(epochs=encoded(results.TABLES["epochs"].empty_table()), provenance={}, problems=(problem,))


def _checked(store: Store, found: Sequence[str], files: Iterable[pa.Buffer]) -> Results:
    """The rows of these files as one table, and each file's provenance.

    Raises:
        ExperimentError: foreign, of another version, without rows, or the result of another cell.
        ArrowException, OSError, ValueError: torn, foreign, or of different columns.
    """
    tables, provenance = [], []
    for key, file in zip(found, files, strict=True):
        table = _rows(file)
        facts = results.read_provenance(table.schema, f"{store.url}/{key}")
        if facts.get("schema_version") != results.SCHEMA_VERSION:
            table = results.upgrade_table(table, "epochs", f"{store.url}/{key}")
        if table.num_rows == 0:
            raise InvalidInput(f"{store.url}/{key} has no rows; remove it and launch its run again")
        tables.append(table)
        provenance.append(facts)
    results.check_columns(tables[0].schema, "epochs", f"{store.url}/{found[0]}")
    rows = encoded(pa.concat_tables(tables))  # which refuses tables of other columns than the first
    starts = np.cumsum([0, *(t.num_rows for t in tables[:-1])])
    firsts = rows.select(["dataset", "method", "cell_id"]).take(starts).to_pylist()
    for key, first in zip(found, firsts, strict=True):
        if key != keys.epochs_of(**first):
            raise InvalidInput(
                f"{store.url}/{key} holds cell {first['cell_id']} of {first['dataset']}, {first['method']}: "
                "a copy in another's place; remove it"
            )
    return Results(
        epochs=rows, provenance=dict(zip((f["cell_id"] for f in firsts), provenance, strict=True)), problems=()
    )


def _rows(file: pa.Buffer) -> pa.Table:
    # The bare reader: what pq.ParquetFile and pq.read_table add around it costs as much as the rows of a small file.
    reader = pq.ParquetReader()
    reader.open(pa.BufferReader(file), pre_buffer=False, page_checksum_verification=True)
    return reader.read_all(use_threads=False)


def encoded(table: pa.Table) -> pa.Table:
    """The table in one piece, with its texts, of which few differ, as codes of a dictionary.

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
