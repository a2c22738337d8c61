"""What the command prints for SQL engines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aggregator import ddl
from experiment import results
from experiment.errors import InvalidInput

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("form", "word"), [("athena", "CREATE EXTERNAL TABLE"), ("spark", "SparkSession")])
def test_the_printed_forms(form, word):
    command = [sys.executable, "-m", "aggregator.ddl", form, "s3://lab/ce"]
    assert word in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_data_sets_of_ones_own_are_partitions_too(capsys):
    assert ddl.main(["athena", "s3://lab/ce", "--data", "flowers"]) == 0
    assert "mnist,flowers'" in capsys.readouterr().out
    with pytest.raises(InvalidInput, match="rename it"):
        ddl.main(["athena", "s3://lab/ce", "--data", "My Flowers"])


def test_an_unknown_form_is_refused_with_those_that_are_known():
    done = subprocess.run(
        [sys.executable, "-m", "aggregator.ddl", "hive"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "invalid choice: 'hive'" in done.stderr
    assert "athena" in done.stderr
    assert "spark" in done.stderr


def test_help_says_what_is_printed(capsys):
    with pytest.raises(SystemExit) as stop:
        ddl.main(["--help"])

    assert stop.value.code == 0
    assert "Prints how an SQL engine reads the results" in capsys.readouterr().out


@pytest.mark.parametrize("name", results.TABLES)
def test_the_athena_tables_have_every_column_once_and_quote_their_texts(name):
    whole = ddl.athena_ddl("s3://lab/it's")
    start = whole.index(f"CREATE EXTERNAL TABLE `collaborative_ensembles`.`{name}_files`")
    table, _, view = whole[start:].partition(f'CREATE VIEW "collaborative_ensembles"."{name}"')
    text = table + view.partition(";")[0]

    for field in results.TABLES[name]:
        assert text.count(f"`{field.name}` ") == 1
        assert text.count(f'"{field.name}"') == 1
    assert f"""LIKE '%/{name}.parquet'""" in text
    assert "LOCATION 's3://lab/it''s/results/'" in text
    assert "'s3://lab/it''s/results/dataset=${dataset}/method=${method}/'" in text


@pytest.mark.parametrize("store", ["", "gs://bucket/x"])
def test_what_is_no_store_is_refused(store):
    command = [sys.executable, "-m", "aggregator.ddl", "spark", store]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (42, "")
    assert done.stderr.startswith(f"error: the store is {store!r}; allowed: ")
