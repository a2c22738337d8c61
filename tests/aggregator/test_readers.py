"""The same questions answered by pandas, Polars, DuckDB and pyarrow, from a directory and from S3."""

import os
import subprocess
import sys
from importlib.util import find_spec

import boto3
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as fs
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from aggregator import ddl, load
from experiment import keys, results
from experiment.grid import Grid, load_grid
from experiment.s3 import S3Store
from tests.aggregator import factories

CELLS = [c for c in load_grid("demo").cells if c.method in ("single", "l2")]


def error(cell, model):
    return factories.flat_error(cell, model) + 0.01 * (cell.method == "l2") + 0.05 * (cell.alpha == 1)


EXPECTED = [
    ("l2", 0.0001, 0.0611),
    ("l2", 0.01, 0.0611),
    ("l2", 0.1, 0.0611),
    ("l2", 1.0, 0.1111),
    ("single", 0.0, 0.05),
]
QUERY = """select method, alpha, round(avg(test_error), 4) from {source}
where model = 'Ens' and epoch = epochs group by method, alpha order by method, alpha"""


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    return factories.committed_store(tmp_path_factory.mktemp("readers") / "s", cells=CELLS, error=error)


@pytest.fixture(scope="module")
def bucket():
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    names = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
        "AWS_REGION": "us-east-1",
    }
    before = {n: os.environ.get(n) for n in names}
    os.environ.update(names)
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="lab")
    store = S3Store("s3://lab/ce")
    factories.freeze_run(store, Grid(name="made", cells=tuple(CELLS)))
    for cell in CELLS:
        factories.commit_cell(store, cell, error)
    yield f"{host}:{port}"
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})
    server.stop()


def answer(frame):
    last = frame[(frame["model"] == "Ens") & (frame["epoch"] == frame["epochs"])]
    means = last.groupby(["method", "alpha"], observed=True)["test_error"].mean().round(4)
    return [(m, a, e) for (m, a), e in means.sort_index().items()]


def arrow_answer(table):
    last = table.filter(pc.and_(pc.equal(table["model"], "Ens"), pc.equal(table["epoch"], table["epochs"])))
    means = (
        last.group_by(["method", "alpha"])
        .aggregate([("test_error", "mean")])
        .sort_by([("method", "ascending"), ("alpha", "ascending")])
    )
    return [(r["method"], r["alpha"], round(r["test_error_mean"], 4)) for r in means.to_pylist()]


def test_load_answers_in_pandas(local):
    assert answer(load(local.url)) == EXPECTED
    assert answer(load(f"{local.url}/runs/made")) == EXPECTED


def test_a_loaded_frame_may_be_written_into(local):
    frame = load(local.url)
    for name in ("test_error", "epoch"):
        frame.loc[0, name] = 7
    frame.loc[0, "model"] = "Ens"

    assert list(frame.loc[0, ["test_error", "epoch", "model"]]) == [7, 7, "Ens"]


def test_load_answers_from_s3(bucket):
    assert answer(load("s3://lab/ce")) == EXPECTED
    assert answer(load("s3://lab/ce/runs/made")) == EXPECTED


FOLDER = {"ignore_prefixes": [".", "predictions"]}  # of the folder results/, as docs/results.md says


def files_of(store):
    return [str(store.local_path(keys.epochs(c))) for c in CELLS]


def test_pandas_answers_from_the_folder_and_from_a_list(local):
    assert answer(pd.read_parquet(f"{local.url}/results", partitioning=None, **FOLDER)) == EXPECTED
    assert answer(pd.read_parquet(files_of(local), partitioning=None)) == EXPECTED


def test_pandas_refuses_the_folder_without_the_option_instead_of_answering_wrongly(local):
    for source in (f"{local.url}/results", files_of(local)):
        with pytest.raises(pa.ArrowTypeError, match="Field dataset has incompatible types"):
            pd.read_parquet(source)


def test_pyarrow_and_polars_answer_from_the_folder(local):
    assert arrow_answer(ds.dataset(f"{local.url}/results", **FOLDER).to_table()) == EXPECTED
    frame = pl.scan_parquet(f"{local.url}/results", hidden_file_prefix="predictions").collect()
    assert arrow_answer(frame.to_arrow()) == EXPECTED


def test_pandas_answers_from_a_folder_in_s3(bucket):
    given = {"access_key": "test", "secret_key": "test", "scheme": "http", "region": "us-east-1"}
    files = fs.S3FileSystem(endpoint_override=bucket, **given)

    assert answer(pd.read_parquet("lab/ce/results", filesystem=files, partitioning=None, **FOLDER)) == EXPECTED


def test_every_tool_reads_the_one_file_of_a_report_without_any_option(local, tmp_path):
    from aggregator.__main__ import main

    assert main(["--run", f"{local.url}/runs/made", "--out", str(tmp_path / "r")]) == 0
    file = tmp_path / "r" / "results.parquet"

    assert answer(pd.read_parquet(file)) == EXPECTED
    assert arrow_answer(pq.read_table(file)) == EXPECTED
    assert arrow_answer(ds.dataset(file).to_table()) == EXPECTED
    assert arrow_answer(pl.read_parquet(file).to_arrow()) == EXPECTED
    assert duckdb.sql(QUERY.format(source=f"'{file}'")).fetchall() == EXPECTED


def test_polars_answers(local):
    last = pl.scan_parquet(f"{local.url}/results/**/epochs.parquet").filter(
        pl.col("model") == "Ens", pl.col("epoch") == pl.col("epochs")
    )
    means = last.group_by("method", "alpha").agg(pl.col("test_error").mean().round(4)).sort("method", "alpha").collect()

    assert means.rows() == EXPECTED


def test_duckdb_answers(local):
    source = f"read_parquet('{local.url}/results/*/*/*/epochs.parquet')"

    assert duckdb.sql(QUERY.format(source=source)).fetchall() == EXPECTED


def test_pyarrow_answers_and_sees_the_schema_of_the_suite(local):
    table = ds.dataset(files_of(local), format="parquet").to_table()

    assert table.schema.remove_metadata() == results.EPOCHS.remove_metadata()
    assert arrow_answer(table) == EXPECTED


def test_pyarrow_and_duckdb_answer_from_s3(bucket):
    files = fs.S3FileSystem(
        access_key="test", secret_key="test", endpoint_override=bucket, scheme="http", region="us-east-1"
    )
    rows = ds.dataset([f"lab/ce/{keys.epochs(c)}" for c in CELLS], format="parquet", filesystem=files).to_table()

    assert arrow_answer(rows) == EXPECTED
    assert (
        duckdb.sql(QUERY.format(source="rows")).fetchall() == EXPECTED
    )  # DuckDB reads S3 itself only with an extension


def test_polars_answers_from_s3(bucket):
    options = {
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
        "aws_endpoint_url": f"http://{bucket}",
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    frame = pl.scan_parquet([f"s3://lab/ce/{keys.epochs(c)}" for c in CELLS], storage_options=options)
    last = frame.filter(pl.col("model") == "Ens", pl.col("epoch") == pl.col("epochs"))
    means = last.group_by("method", "alpha").agg(pl.col("test_error").mean().round(4)).sort("method", "alpha").collect()

    assert means.rows() == EXPECTED


def test_the_types_of_each_reader_are_those_of_the_schema(local):
    path = local.url + "/" + keys.epochs(CELLS[0])
    kinds = {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE"}
    described = dict(row[:2] for row in duckdb.sql(f"describe select * from '{path}'").fetchall())
    names = {"string": pl.String, "int64": pl.Int64, "double": pl.Float64}

    assert described == {f.name: kinds[str(f.type)] for f in results.EPOCHS}
    assert dict(pl.read_parquet_schema(path)) == {f.name: names[str(f.type)] for f in results.EPOCHS}


SPARK = """
import os, sys
{snippet}
rows = epochs.filter("model = 'Ens' and epoch = epochs").groupBy("method", "alpha").avg("test_error").orderBy("method", "alpha").collect()
print([(r[0], r[1], round(r[2], 4)) for r in rows])
"""


def spark_python():
    """An interpreter with pyspark, named by SPARK_PYTHON: pyspark is 400 MB and no part of the locked environment."""
    given = os.environ.get("SPARK_PYTHON") or (sys.executable if find_spec("pyspark") else "")
    if not given:
        pytest.skip(
            "LOUD: no pyspark here; set SPARK_PYTHON to an interpreter that has it to run the Spark snippet for real"
        )
    return given


@pytest.mark.spark
def test_spark_answers_from_the_folder(local):
    read = f'spark.read.option("pathGlobFilter", "epochs.parquet").parquet("{local.url}/results")'
    snippet = f"from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\nepochs = {read}"
    done = subprocess.run([spark_python(), "-c", SPARK.format(snippet=snippet)], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip().splitlines()[-1] == repr(EXPECTED)


@pytest.mark.spark
def test_the_spark_snippet_answers(local):
    program = SPARK.format(snippet=ddl.spark_snippet(local.url))
    done = subprocess.run([spark_python(), "-c", program], capture_output=True, text=True, timeout=240, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip().splitlines()[-1] == repr(EXPECTED)
