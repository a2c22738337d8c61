"""docs/results.md says what the schema says, and its snippets run."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from experiment import results
from experiment.provenance import Provenance
from tests.aggregator import factories

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "results.md").read_text()


@pytest.mark.parametrize("schema", [results.EPOCHS, results.PREDICTIONS])
def test_every_column_is_documented_with_its_own_words(schema):
    for field in schema:
        assert re.search(
            rf"^\| `{field.name}` \| [^|]+ \| {re.escape(field.metadata[b'doc'].decode())} \|$", TEXT, re.MULTILINE
        )


def test_every_fact_of_the_provenance_is_named():
    assert [n for n in Provenance.__dataclass_fields__ if f"`{n}`" not in TEXT] == []


def test_the_snippets_run(tmp_path):
    store = factories.committed_store(tmp_path / "store")
    blocks = dict(re.findall(r"```(python|sql)\n(.*?)```", TEXT, re.DOTALL))
    programs = [b for kind, b in re.findall(r"```(python|sql)\n(.*?)```", TEXT, re.DOTALL) if kind == "python"]
    assert len(programs) == 4
    for program in programs:
        text = (
            program.replace("s3://bucket/prefix", store.url)
            .replace("store/runs/demo-68a073", f"{store.url}/runs/made")
            .replace('"store/', f'"{store.url}/')
        )
        done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert len(duckdb.sql(blocks["sql"].replace("'store/", f"'{store.url}/")).fetchall()) == 13
