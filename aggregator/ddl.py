"""``python -m aggregator.ddl``: how Athena, Glue and Spark read the results of a store, generated from the schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from experiment import results
from experiment.cell import METHODS
from experiment.datasets import DATASETS
from experiment.own_data import check_name
from experiment.program import CommandLine, report_errors, run_program
from experiment.store import store_directory

_TYPES = {
    pa.string(): "string",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.list_(pa.float32()): "array<float>",
}
_PARTITIONS = ("dataset", "method")  # named by the keys: results/dataset=D/method=M/CELL/epochs.parquet
DATABASE = "collaborative_ensembles"


def athena_ddl(store_url: str, database: str = DATABASE, *, own: Sequence[str] = ()) -> str:
    """Returns a table and a view for epochs and for predictions, for Athena or a Glue catalogue.

    Args:
        own: data sets of the user's own that the store has results of.

    Projection finds the partitions, so none needs repair. Both tables have the files of both at their location: each
    view has the rows of its own. Predictions count once their cell is committed.
    """
    committed = f"\n  AND cell_id IN (SELECT cell_id FROM {_name(database, 'epochs')})"  # noqa: S608
    return "\n".join(
        _table(name, store_url, own, database) + _view(name, database, more)
        for name, more in (("epochs", ""), ("predictions", committed))
    )


def _table(name: str, store_url: str, own: Sequence[str], database: str) -> str:
    columns = [f for f in results.TABLES[name] if f.name not in _PARTITIONS]
    body = ",\n".join(f"  `{f.name}` {_TYPES[f.type]} COMMENT {_quote(f.metadata[b'doc'].decode())}" for f in columns)
    place = f"{store_url.rstrip('/')}/results/"
    return f"""CREATE EXTERNAL TABLE `{database}`.`{name}_files` (
{body}
)
PARTITIONED BY (`dataset` string, `method` string)
STORED AS PARQUET
LOCATION {_quote(place)}
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dataset.type' = 'enum',
  'projection.dataset.values' = '{",".join((*DATASETS, *own))}',
  'projection.method.type' = 'enum',
  'projection.method.values' = '{",".join(METHODS)}',
  'storage.location.template' = {_quote(place + "dataset=${dataset}/method=${method}/")}
);

"""


def _view(name: str, database: str, more: str) -> str:
    columns = ", ".join(f'"{f.name}"' for f in results.TABLES[name])
    return f"""CREATE VIEW {_name(database, name)} AS
SELECT {columns}
FROM {_name(database, f"{name}_files")}
WHERE "$path" LIKE '%/{name}.parquet'{more};
"""  # noqa: S608 (text for the user to run, from our own schema and the user's own store)


def spark_snippet(store_url: str) -> str:
    """Returns Python that reads all epochs and predictions with Spark, which calls an s3:// store s3a://."""
    place = store_url.rstrip("/").replace("s3://", "s3a://", 1) + "/results/"
    reads = "".join(_spark_read(name, place) for name in results.TABLES)
    return f"""from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
{reads}predictions = predictions.join(epochs.select("cell_id").distinct(), "cell_id", "left_semi")  # committed cells
"""


def _spark_read(name: str, place: str) -> str:
    fields = ", ".join(f"{f.name} {_TYPES[f.type]}" for f in results.TABLES[name])
    return f"""{name} = (
    spark.read.schema("{fields}")
    .option("recursiveFileLookup", "true")
    .option("pathGlobFilter", "{name}.parquet")
    .parquet("{place}")
)
"""


def _name(database: str, name: str) -> str:
    return f'"{database}"."{name}"'


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


FORMS: dict[str, Callable[[str, Sequence[str]], str]] = {
    "athena": lambda store_url, own: athena_ddl(store_url, own=own),
    "spark": lambda store_url, _: spark_snippet(store_url),  # Spark finds the partitions by itself
}


def main(argv: list[str] | None = None) -> int:
    """Parses and prints; returns the exit code."""
    p = CommandLine(
        prog="python -m aggregator.ddl", description="Prints how an SQL engine reads the results of a store."
    )
    p.add_argument("form", choices=FORMS, help="athena: tables and views for Athena and Glue; spark: Python for Spark")
    p.add_argument("store", metavar="STORE", help="the store: a directory or s3:// URL")
    own = "data sets of your own that the store has results of; Athena is told its partitions"
    p.add_argument("--data", nargs="+", default=[], metavar="NAME", help=own)
    arguments = p.parse_args(argv)
    for name in arguments.data:
        check_name(name)
    store_directory(arguments.store)  # refuses what no program of the suite takes for a store
    print(FORMS[arguments.form](arguments.store, arguments.data))
    return 0


if __name__ == "__main__":
    run_program(lambda: report_errors(main))
