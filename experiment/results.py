"""The Parquet results of a cell: schemas, their version, and the conversion of tables to verified bytes and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from experiment.columns import (
    CELL_COLUMNS,
    EPOCH_COLUMNS,
    EPOCHS,
    ORIGIN_COLUMNS,
    PREDICTION_COLUMNS,
    PREDICTIONS,
    SCHEMA_VERSION,
    TABLES,
    cell_settings,
    cell_values,
    prediction_values,
)
from experiment.errors import InvalidInput, describe_error
from experiment.provenance import METADATA, read_provenance
from experiment.upgrade import fill_columns

__all__ = [
    "CELL_COLUMNS",
    "EPOCHS",
    "EPOCH_COLUMNS",
    "ORIGIN_COLUMNS",
    "PREDICTIONS",
    "PREDICTION_COLUMNS",
    "SCHEMA_VERSION",
    "TABLES",
    "cell_settings",
    "cell_values",
    "check_columns",
    "column_bits",
    "from_bytes",
    "prediction_values",
    "repeat_values",
    "to_bytes",
    "to_table",
    "upgrade_table",
]


def to_table(name: str, columns: Mapping[str, Any], provenance: Mapping[str, Any]) -> pa.Table:
    """Returns a typed table of ``TABLES[name]`` with these columns (sequences or arrays of one length).

    Columns that repeat a fact of the provenance are made from it, and are not to be given.

    Raises:
        InvalidInput: a column is missing or unknown, or holds a null or a value of another type.
    """
    schema = TABLES[name]
    columns = {**columns, **_origin_columns(schema, columns, provenance)}
    if set(columns) != set(schema.names):
        given, allowed = ", ".join(sorted(columns)), ", ".join(sorted(schema.names))
        raise InvalidInput(f"columns of {name} are {given}; allowed: {allowed}; correct the caller")
    origin = {"schema_version": SCHEMA_VERSION, "table": name, **provenance}
    metadata = {METADATA: json.dumps(origin, sort_keys=True).encode()}
    try:
        arrays = [pa.array(columns[n], schema.field(n).type) for n in schema.names]
        table = pa.table(arrays, schema=schema.with_metadata(metadata))
        table.validate(full=True)
        _check_lists(table, name)
        if empty := [n for n in table.column_names if table[n].null_count]:
            raise pa.ArrowInvalid(f"null in {', '.join(empty)}")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InvalidInput(f"{name} cannot be made a table: {error}; correct the caller") from error
    return table


def _origin_columns(
    schema: pa.Schema, columns: Mapping[str, Any], facts: Mapping[str, Any]
) -> dict[str, Sequence[Any]]:
    own = {n: facts.get(n, c.neutral) for n, c in ORIGIN_COLUMNS.items() if n in schema.names}
    return repeat_values(own, len(next(iter(columns.values()), ())))


def to_bytes(table: pa.Table) -> bytes:
    """Returns the table as one Parquet file with page checksums, read back and compared with the table.

    Snappy, since a zstd context per column doubles the time to read 10,000 files as small as these and saves no space.
    Columns of measured figures have no dictionaries because the figures seldom repeat.
    """
    sink = pa.BufferOutputStream()
    repeating = [f.name for f in table.schema if pa.types.is_string(f.type) or pa.types.is_integer(f.type)]
    pq.write_table(
        table, sink, compression="snappy", use_dictionary=repeating, write_page_checksum=True, store_schema=True
    )
    data: bytes = sink.getvalue().to_pybytes()
    written = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
    same = (column_bits(written[n]) == column_bits(table[n]) for n in table.column_names)
    if written.schema != table.schema or not all(same):
        raise InvalidInput("a table changed on its way through Parquet; nothing was written; report this")
    return data


def column_bits(column: pa.ChunkedArray) -> pa.Array:
    """Returns the column with floats as integers of the same bits, so that a NaN equals itself."""
    array = pa.concat_arrays(column.chunks) if column.num_chunks != 1 else column.chunk(0)
    if pa.types.is_list(array.type):
        return pa.ListArray.from_arrays(array.offsets, array.values.view(pa.int32()))
    if pa.types.is_floating(array.type):
        return array.view(pa.int32() if array.type == pa.float32() else pa.int64())
    return array


def from_bytes(
    data: bytes | pa.Buffer, name: str, source: str, known: Mapping[str, Any] = MappingProxyType({})
) -> pa.Table:
    """Returns the table of ``TABLES[name]`` in a Parquet file after its checksums; ``source`` names it in errors.

    Args:
        known: values of columns of its cell, which files of older versions may lack (``experiment.upgrade``).

    Raises:
        InvalidInput: the file is torn, foreign, or of a newer schema version.
    """
    try:
        table = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
        len(table.schema.names)  # this decodes the names: a changed byte in one may be no UTF-8
    except (pa.ArrowException, ValueError, OSError) as error:
        given = f"{source} is not a whole Parquet file ({describe_error(error)})"
        raise InvalidInput(f"{given}; remove it and launch its run again") from error
    return upgrade_table(table, name, source, known)


def upgrade_table(table: pa.Table, name: str, source: str, known: Mapping[str, Any] = MappingProxyType({})) -> pa.Table:
    """Returns the table in today's schema, whatever version it has, after a check that it is a table of that name.

    Raises:
        InvalidInput: the table is foreign, of another name, or of a newer schema version.
    """
    facts = read_provenance(table.schema, source)
    version = facts.get("schema_version")
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
        readable = ", ".join(str(v) for v in range(1, SCHEMA_VERSION + 1))
        advice = "read it with the version of the suite that wrote it"
        raise InvalidInput(f"{source} has results schema {version!r}; allowed: {readable}; {advice}")
    if version < SCHEMA_VERSION:
        table = fill_columns(table, name, facts, known, source)
    check_columns(table.schema, name, source)
    _check_lists(table, source)
    return table


def _check_lists(table: pa.Table, source: str) -> None:
    """Checks that the lists of a column have one length: a list of logits has one for each class."""
    for field in table.schema:
        if pa.types.is_list(field.type):
            lengths = pc.unique(pc.list_value_length(table[field.name])).to_pylist()
            if len(lengths) > 1:
                given = f"{source} has {field.name} of {' and '.join(map(str, sorted(lengths)))} numbers"
                raise InvalidInput(f"{given}; allowed: one length; remove it and launch its run again")


def check_columns(schema: pa.Schema, name: str, source: str) -> None:
    """Checks that a schema has the columns of ``TABLES[name]``.

    Raises:
        InvalidInput: a column is missing, unknown or of another type.
    """
    expected = TABLES[name]
    if schema.remove_metadata() != expected.remove_metadata():
        other_type = [f.name for f in schema if f.name in expected.names and f.type != expected.field(f.name).type]
        wrong = ", ".join(sorted(set(schema.names) ^ set(expected.names)) or other_type)
        raise InvalidInput(
            f"{source} is not a table of {name}: columns {wrong} differ; remove it and launch its run again"
        )


def repeat_values(values: Mapping[str, Any], count: int) -> dict[str, Sequence[Any]]:
    """Returns columns of ``count`` rows, each of one value."""
    return {name: [value] * count for name, value in values.items()}
