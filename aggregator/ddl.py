"""``python -m aggregator.ddl``: how Athena, Glue and Spark read the results of a store, generated from the schema."""

from __future__ import annotations

import pyarrow as pa

from experiment import results
from experiment.cell import METHODS
from experiment.datasets import DATASETS
from experiment.program import CommandLine, report_errors, run_program
from experiment.store import store_directory

_TYPES = {pa.string(): "string", pa.int64(): "bigint", pa.float64(): "double"}
_PARTITIONS = ("dataset", "method")  # named by the keys: results/dataset=D/method=M/CELL/epochs.parquet


def athena_ddl(store_url: str, table: str = "epochs", database: str = "collaborative_ensembles") -> str:
    """Returns a table and a view for Athena or a Glue catalogue; projection finds the partitions, so none needs repair.

    The table's location holds predictions.parquet too: the view leaves these out.
    """
    columns = [f for f in results.EPOCHS if f.name not in _PARTITIONS]
    body = ",\n".join(f"  `{f.name}` {_TYPES[f.type]} COMMENT {_quote(f.metadata[b'doc'].decode())}" for f in columns)
    place = f"{store_url.rstrip('/')}/results/"
    rows = ", ".join(f'"{f.name}"' for f in results.EPOCHS)
    return f"""CREATE EXTERNAL TABLE `{database}`.`{table}_files` (
{body}
)
PARTITIONED BY (`dataset` string, `method` string)
STORED AS PARQUET
LOCATION {_quote(place)}
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dataset.type' = 'enum',
  'projection.dataset.values' = '{",".join(DATASETS)}',
  'projection.method.type' = 'enum',
  'projection.method.values' = '{",".join(METHODS)}',
  'storage.location.template' = {_quote(place + "dataset=${dataset}/method=${method}/")}
);

CREATE VIEW "{database}"."{table}" AS
SELECT {rows}
FROM "{database}"."{table}_files"
WHERE "$path" LIKE '%/epochs.parquet';
"""  # noqa: S608 (text for the user to run, from our own schema and the user's own store)


def spark_snippet(store_url: str) -> str:
    """Returns Python that reads all epochs with Spark, which calls an s3:// store s3a://."""
    place = store_url.rstrip("/").replace("s3://", "s3a://", 1) + "/results/"
    fields = ", ".join(f"{f.name} {_TYPES[f.type]}" for f in results.EPOCHS)
    return f'''from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
epochs = (
    spark.read.schema("{fields}")
    .option("recursiveFileLookup", "true")
    .option("pathGlobFilter", "epochs.parquet")
    .parquet("{place}")
)
'''


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


FORMS = {"athena": athena_ddl, "spark": spark_snippet}


def main(argv: list[str] | None = None) -> int:
    """Parses and prints; returns the exit code."""
    p = CommandLine(
        prog="python -m aggregator.ddl", description="Prints how an SQL engine reads the results of a store."
    )
    p.add_argument(
        "form", choices=FORMS, help="athena: a table and a view for Athena and Glue; spark: Python for Spark"
    )
    p.add_argument("store", metavar="STORE", help="the store: a directory or s3:// URL")
    arguments = p.parse_args(argv)
    store_directory(arguments.store)  # refuses what no program of the suite takes for a store
    print(FORMS[arguments.form](arguments.store))
    return 0


if __name__ == "__main__":
    run_program(lambda: report_errors(main))
