"""docs/results.ipynb runs on the cells that its own command trains; what is committed is its outcome, small and the same anywhere."""

from __future__ import annotations

import copy
import json
import re
import shutil

import pytest

from docs import notebook

COMMITTED = notebook.read_notebook()
OUTPUTS = [output for c in COMMITTED.cells for output in c.get("outputs", [])]


def kinds(found):
    """What each cell gave: (its id, the forms of one output) in order."""
    return [(c.id, o.get("name") or sorted(o.data)) for c in found.cells for o in c.get("outputs", [])]


@pytest.mark.timeout(600)  # a minute on two cores that do nothing else
def test_it_runs_on_the_store_that_its_command_trains_and_gives_what_is_committed(tmp_path):
    (tmp_path / "docs").mkdir()
    shutil.copy(notebook.ROOT / "docs" / "results.toml", tmp_path / "docs")

    notebook.train_cells(COMMITTED, tmp_path)
    fresh = notebook.execute(copy.deepcopy(COMMITTED), tmp_path)

    assert kinds(fresh) == kinds(COMMITTED)
    assert fresh.metadata == COMMITTED.metadata


def test_its_outputs_are_those_of_its_code():
    assert COMMITTED.metadata.executed_code_sha256 == notebook.code_sha256(COMMITTED), "make notebook runs it again"
    counts = [c.execution_count for c in COMMITTED.cells if c.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_it_is_small():
    assert notebook.PATH.stat().st_size < 300_000


def test_it_tells_neither_the_machine_nor_the_hour():
    text = json.dumps([{k: v for k, v in o.get("data", o).items() if k != "image/png"} for o in OUTPUTS])

    assert {o.name for o in OUTPUTS if o.output_type == "stream"} == {"stdout"}
    assert re.findall(r"/(?:home|root|tmp|work|Users|usr|var)\b|\b20\d\d-\d\d-\d\d|\bat 0x[0-9a-f]+", text) == []
    assert [c.id for c in COMMITTED.cells if c.metadata] == []


def test_it_uses_public_names_alone():
    code = "\n".join(c.source for c in COMMITTED.cells if c.cell_type == "code")

    assert "from aggregator import load" in code
    assert re.findall(r"(?:\.|import )_\w+", code) == []
