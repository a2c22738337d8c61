"""The Parquet results of a cell: schemas, their version, and the conversion of tables to verified bytes and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from experiment.cell import Cell
from experiment.errors import InvalidInput, describe_error
from experiment.provenance import METADATA, read_provenance

SCHEMA_VERSION = 1

CELL_COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "cell_id": (pa.string(), "the cell's id"),
    "dataset": (pa.string(), "data set"),
    "method": (pa.string(), "collaboration method: single, ce, l2 or l1"),
    "alpha": (pa.float64(), "collaboration weight; 0 for single"),
    "seed": (pa.int64(), "seed of weights and epoch order"),
    "members": (pa.string(), "names of the members, joined by +"),
    "epochs": (pa.int64(), "number of epochs that the cell trains"),
    "batch_size": (pa.int64(), "examples in a mini-batch"),
    "learning_rate_base": (pa.float64(), "learning rate of the first epoch"),
    "weight_decay": (pa.float64(), "factor of half the sum of squared kernels in the cost"),
    "head": (pa.string(), "end of the network: wide or plain"),
    "precision": (pa.string(), "arithmetic of the convolutions: float32, bfloat16 or auto (the device's choice)"),
    "train_examples": (pa.int64(), "training examples of the data set as used; the last short batch is left out"),
    "test_examples": (pa.int64(), "test examples"),
}
EPOCH_COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "model": (pa.string(), "a member's name, or Ens: the mean of the members' logits"),
    "epoch": (pa.int64(), "epoch, from 1"),
    "train_error": (pa.float64(), "share of wrong top-1 predictions over the epoch's batches as the weights move"),
    "train_cost": (pa.float64(), "nats; a member's cross-entropy + weight decay; Ens: its cross-entropy"),
    "train_cross_entropy": (pa.float64(), "nats, without weight decay"),
    "test_error": (pa.float64(), "share of wrong top-1 predictions over the whole test set at the epoch's end"),
    "test_cost": (pa.float64(), "nats; as train_cost"),
    "test_cross_entropy": (pa.float64(), "nats; as train_cross_entropy"),
    "test_ece": (pa.float64(), "expected calibration error, 15 bins of equal width"),
    "test_agreement": (pa.float64(), "share of test examples on which all members predict the same class"),
    "learning_rate": (pa.float64(), "learning rate of the epoch"),
    "seconds": (pa.float64(), "wall time of the epoch, training and test"),
    "images_per_second": (pa.float64(), "training images per second of the epoch, all members together counted once"),
}
PREDICTION_COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "cell_id": (pa.string(), "the cell's id"),
    "model": (pa.string(), "a member's name, or Ens"),
    "example": (pa.int64(), "index in the data set's fixed test split, from 0"),
    "label": (pa.int64(), "the right class"),
    "prediction": (pa.int64(), "the class of the largest logit"),
    "logits": (pa.list_(pa.float32(), 10), "logits before softmax"),
}


def _schema(*groups: Mapping[str, tuple[pa.DataType, str]]) -> pa.Schema:
    return pa.schema(
        [pa.field(n, t, nullable=False, metadata={"doc": doc}) for g in groups for n, (t, doc) in g.items()]
    )


EPOCHS = _schema(CELL_COLUMNS, EPOCH_COLUMNS)
PREDICTIONS = _schema(PREDICTION_COLUMNS)
TABLES = {"epochs": EPOCHS, "predictions": PREDICTIONS}
# By version: a function of (table's name, table) that returns the table of the next version. Files never change.
UPGRADES: dict[int, Callable[[str, pa.Table], pa.Table]] = {}


def cell_values(cell: Cell, *, train_examples: int, test_examples: int) -> dict[str, Any]:
    """Returns the columns that are the same in each row of a cell."""
    fields = cell.all_fields()
    values = {name: fields[name] for name in CELL_COLUMNS if name in fields}
    return values | {
        "cell_id": cell.id,
        "members": cell.member_names,
        "learning_rate_base": cell.learning_rate,
        "train_examples": train_examples,
        "test_examples": test_examples,
    }


def to_table(name: str, columns: Mapping[str, Any], provenance: Mapping[str, Any]) -> pa.Table:
    """Returns a typed table of ``TABLES[name]`` with these columns (sequences or arrays of one length).

    Raises:
        InvalidInput: a column is missing or unknown, or holds a null or a value of another type.
    """
    schema = TABLES[name]
    if set(columns) != set(schema.names):
        given, allowed = ", ".join(sorted(columns)), ", ".join(sorted(schema.names))
        raise InvalidInput(f"columns of {name} are {given}; allowed: {allowed}; correct the caller")
    origin = {"schema_version": SCHEMA_VERSION, "table": name, **provenance}
    metadata = {METADATA: json.dumps(origin, sort_keys=True).encode()}
    try:
        arrays = [pa.array(columns[n], schema.field(n).type) for n in schema.names]
        table = pa.table(arrays, schema=schema.with_metadata(metadata))
        table.validate(full=True)
        if empty := [n for n in table.column_names if table[n].null_count]:
            raise pa.ArrowInvalid(f"null in {', '.join(empty)}")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InvalidInput(f"{name} cannot be made a table: {error}; correct the caller") from error
    return table


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
    array = array.flatten() if pa.types.is_fixed_size_list(array.type) else array
    if pa.types.is_floating(array.type):
        return array.view(pa.int32() if array.type == pa.float32() else pa.int64())
    return array


def from_bytes(data: bytes | pa.Buffer, name: str, source: str) -> pa.Table:
    """Returns the table of ``TABLES[name]`` in a Parquet file after its checksums; ``source`` names it in errors.

    Raises:
        InvalidInput: the file is torn, foreign, or of a newer schema version.
    """
    try:
        table = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
        len(table.schema.names)  # this decodes the names: a changed byte in one may be no UTF-8
    except (pa.ArrowException, ValueError, OSError) as error:
        given = f"{source} is not a whole Parquet file ({describe_error(error)})"
        raise InvalidInput(f"{given}; remove it and launch its run again") from error
    return upgrade_table(table, name, source)


def upgrade_table(table: pa.Table, name: str, source: str) -> pa.Table:
    """Returns the table in today's schema, whatever version it has, after a check that it is a table of that name.

    Raises:
        InvalidInput: the table is foreign, of another name, or of a newer schema version.
    """
    version = read_provenance(table.schema, source).get("schema_version")
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
        readable = ", ".join(str(v) for v in range(1, SCHEMA_VERSION + 1))
        advice = "read it with the version of the suite that wrote it"
        raise InvalidInput(f"{source} has results schema {version!r}; allowed: {readable}; {advice}")
    for step in range(version, SCHEMA_VERSION):
        table = UPGRADES[step](name, table)
    check_columns(table.schema, name, source)
    return table


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
