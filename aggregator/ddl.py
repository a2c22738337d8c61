"""Ways into the results for SQL engines, generated from the schema: a Hive-style table for Athena and Glue, and Spark."""

from __future__ import annotations

import pyarrow as pa

from experiment import results
from experiment.cell import METHODS
from experiment.datasets import DATASETS

_TYPES = {pa.string(): "string", pa.int64(): "bigint", pa.float64(): "double"}
_PARTITIONS = ("dataset", "method")  # named by the keys: results/dataset=D/method=M/CELL/epochs.parquet


def athena(store_url: str, table: str = "epochs", database: str = "collaborative_ensembles") -> str:
    """``CREATE EXTERNAL TABLE`` for Athena or a Glue catalogue, with partitions found by projection: nothing to repair.

    Its location holds predictions.parquet too: ``"$path" LIKE '%/epochs.parquet'`` is part of every query, as in the view
    that comes with it.
    """
    columns = [f for f in results.EPOCHS if f.name not in _PARTITIONS]
    body = ",\n".join(f"  `{f.name}` {_TYPES[f.type]} COMMENT {_quoted(f.metadata[b'doc'].decode())}" for f in columns)
    place = f"{store_url.rstrip('/')}/results/"
    rows = ", ".join(f'"{f.name}"' for f in results.EPOCHS)
    return f"""CREATE EXTERNAL TABLE `{database}`.`{table}_files` (
{body}
)
PARTITIONED BY (`dataset` string, `method` string)
STORED AS PARQUET
LOCATION {_quoted(place)}
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dataset.type' = 'enum',
  'projection.dataset.values' = '{",".join(DATASETS)}',
  'projection.method.type' = 'enum',
  'projection.method.values' = '{",".join(METHODS)}',
  'storage.location.template' = {_quoted(place + "dataset=${dataset}/method=${method}/")}
);

CREATE VIEW "{database}"."{table}" AS
SELECT {rows}
FROM "{database}"."{table}_files"
WHERE "$path" LIKE '%/epochs.parquet';
"""  # noqa: S608 (text for the user to run, from our own schema and the user's own store)


def spark(store_url: str) -> str:
    """Python that reads all epochs with Spark; an s3:// store is s3a:// to it."""
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


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    import sys

    forms = {"athena": athena, "spark": spark}
    if len(sys.argv) != 3 or sys.argv[1] not in forms:
        sys.exit(f"error: given {' '.join(sys.argv[1:]) or 'nothing'}; allowed: athena or spark, then the store's URL")
    print(forms[sys.argv[1]](sys.argv[2]))
