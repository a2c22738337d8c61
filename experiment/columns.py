"""The columns of the results of a cell: names, types, meanings, and what files of older schema versions hold instead."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from experiment.cell import Cell
from experiment.extensions import NEUTRAL, describe_setting
from experiment.members import Member

SCHEMA_VERSION = 3


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        since: the schema version that brought the column.
        neutral: its value in files of older versions, where neither the file's provenance nor its cell says more.
        like: the column that says the same in files of older versions.
    """

    type: pa.DataType
    doc: str
    since: int = 1
    neutral: Any = None
    like: str = ""


def _setting(name: str, kind: pa.DataType, doc: str, since: int = 2) -> Column:
    """Returns the column of a setting beyond the paper, which no cell of an older version has."""
    return Column(kind, doc, since=since, neutral=setting_value(NEUTRAL[name]))


def setting_value(value: Any) -> Any:
    """Returns a setting as a column holds it: a list as text, ``1+0``, a teacher as its id."""
    if value is None or isinstance(value, Cell):
        return value.id if value else ""
    return describe_setting(value) if isinstance(value, tuple) else value


CELL_COLUMNS: dict[str, Column] = {
    "cell_id": Column(pa.string(), "the cell's id"),
    "dataset": Column(pa.string(), "data set"),
    "method": Column(pa.string(), "collaboration method: single, ce, l2, l1, mutual, consensus or distillation"),
    "alpha": Column(pa.float64(), "collaboration weight; 0 for single"),
    "seed": Column(pa.int64(), "seed of weights and epoch order"),
    "members": Column(pa.string(), "names of the members, joined by +"),
    "architectures": Column(
        pa.string(),
        "bricks x blocks x filters of the members in the order of their names, joined by +",
        since=2,
        neutral="",
    ),
    "epochs": Column(pa.int64(), "number of epochs that the cell trains"),
    "batch_size": Column(pa.int64(), "examples in a mini-batch"),
    "learning_rate_base": Column(pa.float64(), "learning rate of the first epoch"),
    "weight_decay": Column(pa.float64(), "factor of half the sum of squared kernels in the cost"),
    "head": Column(pa.string(), "end of the network: wide or plain"),
    "precision": Column(pa.string(), "arithmetic of the convolutions: float32, bfloat16 or auto (the device's choice)"),
    "train_examples": Column(pa.int64(), "training examples of the data set as used; the last short batch is left out"),
    "test_examples": Column(pa.int64(), "test examples"),
    "pairs": _setting("pairs", pa.string(), "which members are compared: chain or all"),
    "pull": _setting(
        "pull", pa.string(), "weight of each member's own distance to its peers, joined by +; empty: none"
    ),
    "temperature": _setting("temperature", pa.float64(), "divisor of the logits in the collaboration cost"),
    "alpha_plan": _setting("alpha_plan", pa.string(), "alpha over the epochs: constant, rise, fall or late"),
    "stale_epochs": _setting("stale_epochs", pa.int64(), "epochs between two copies of the peers; 0: as they are"),
    "label_smoothing": _setting("label_smoothing", pa.float64(), "share of a label that is spread over all classes"),
    "augment": _setting("augment", pa.string(), "distortion of training images: none, shift or shift+flip"),
    "unlabelled": _setting("unlabelled", pa.string(), "images without labels: none, noise or rest"),
    "unlabelled_share": _setting("unlabelled_share", pa.float64(), "their number as a share of batch_size"),
    "validation_examples": _setting("validation_examples", pa.int64(), "training examples that are kept apart"),
    "recipe": _setting("recipe", pa.string(), "paper, or program: as the author's program trained"),
    "teacher": _setting("teacher", pa.string(), "id of the cell that a student learned from; empty: none", since=3),
}
ORIGIN_COLUMNS: dict[str, Column] = {  # fields of the provenance, so that SQL can ask for them
    "device": Column(pa.string(), "name of the device that trained the cell; empty: not known", since=2, neutral=""),
    "arithmetic": Column(pa.string(), "arithmetic used: float32 or bfloat16; empty: not known", since=2, neutral=""),
    "training_seconds": Column(
        pa.float64(), "wall time of all epochs of the cell, the same in all its rows", since=2, neutral=math.nan
    ),
}
EPOCH_COLUMNS: dict[str, Column] = {
    "model": Column(pa.string(), "a member's name, or Ens: the mean of the members' logits"),
    "epoch": Column(pa.int64(), "epoch, from 1"),
    "train_error": Column(
        pa.float64(), "share of wrong top-1 predictions over the epoch's batches as the weights move"
    ),
    "train_cost": Column(pa.float64(), "nats; a member's cross-entropy + weight decay; Ens: its cross-entropy"),
    "train_cross_entropy": Column(pa.float64(), "nats, without weight decay"),
    "test_error": Column(pa.float64(), "share of wrong top-1 predictions over the whole test set at the epoch's end"),
    "test_cost": Column(pa.float64(), "nats; as train_cost"),
    "test_cross_entropy": Column(pa.float64(), "nats; as train_cross_entropy"),
    "test_ece": Column(pa.float64(), "expected calibration error, 15 bins of equal width"),
    "test_agreement": Column(pa.float64(), "share of test examples on which all members predict the same class"),
    "validation_error": Column(
        pa.float64(), "as test_error, on the validation examples; NaN: none", since=2, neutral=math.nan
    ),
    "validation_cross_entropy": Column(
        pa.float64(), "nats; as test_cross_entropy, on the validation examples; NaN: none", since=2, neutral=math.nan
    ),
    "learning_rate": Column(pa.float64(), "learning rate of the epoch"),
    "collaboration_weight": Column(pa.float64(), "collaboration weight of the epoch", since=2, like="alpha"),
    "seconds": Column(
        pa.float64(), "wall time of the epoch, training and test, of all models together: the same in the row of each"
    ),
    "images_per_second": Column(
        pa.float64(), "training images per second of the epoch, all members together counted once"
    ),
}
PREDICTION_COLUMNS: dict[str, Column] = {
    "cell_id": CELL_COLUMNS["cell_id"],
    **{name: CELL_COLUMNS[name]._replace(since=2) for name in ("dataset", "method", "alpha", "seed")},
    "model": Column(pa.string(), "a member's name, or Ens"),
    "example": Column(pa.int64(), "index in the data set's fixed test split, from 0"),
    "label": Column(pa.int64(), "the right class"),
    "prediction": Column(pa.int64(), "the class of the largest logit"),
    "logits": Column(pa.list_(pa.float32()), "logits before softmax, one for each class"),
}
COLUMNS: dict[str, dict[str, Column]] = {
    "epochs": {**CELL_COLUMNS, **ORIGIN_COLUMNS, **EPOCH_COLUMNS},
    "predictions": PREDICTION_COLUMNS,
}


def _schema(columns: Mapping[str, Column]) -> pa.Schema:
    return pa.schema([pa.field(n, c.type, nullable=False, metadata={"doc": c.doc}) for n, c in columns.items()])


TABLES = {name: _schema(columns) for name, columns in COLUMNS.items()}
EPOCHS, PREDICTIONS = TABLES["epochs"], TABLES["predictions"]


def cell_values(cell: Cell, *, train_examples: int, test_examples: int) -> dict[str, Any]:
    """Returns the columns that are the same in each row of a cell."""
    return cell_settings(cell) | {"train_examples": train_examples, "test_examples": test_examples}


def cell_settings(cell: Cell) -> dict[str, Any]:
    """Returns the columns that follow from a cell's settings alone."""
    derived = ("members", "train_examples", "test_examples")  # counts are 0 there for all examples of the data set
    names = [name for name in CELL_COLUMNS if hasattr(cell, name) and name not in derived]
    values = {name: setting_value(getattr(cell, name)) for name in names}
    return values | {
        "cell_id": cell.id,
        "members": cell.member_names,
        "architectures": describe_architectures(cell.members),
        "learning_rate_base": cell.learning_rate,
    }


def prediction_values(cell: Cell) -> dict[str, Any]:
    """Returns the columns that are the same in each row of a cell's predictions."""
    settings = cell_settings(cell)
    return {name: settings[name] for name in PREDICTION_COLUMNS if name in settings}


def describe_architectures(members: Iterable[Member]) -> str:
    """Returns the shapes of members as results name them: ``3x1x8+3x2x16``."""
    return "+".join(f"{m.bricks}x{m.blocks}x{m.filters}" for m in members)
