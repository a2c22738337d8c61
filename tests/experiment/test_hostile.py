"""Whatever somebody put into the store or wrote as a grid is read, or refused in one line: never a traceback."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment import keys, records, results
from experiment.assignment import ASSIGNMENT_FORM, Assignment
from experiment.errors import InvalidInput
from experiment.grid import BUILT_IN, load_grid, parse_grid
from experiment.prepared import MANIFEST_FORM, Manifest, SourceFile, read_manifest
from experiment.provenance import METADATA, read_provenance
from experiment.run import GRID_FORM, Run
from experiment.sealed import SealedForm
from tests.factories import epochs_table
from tests.hostile import ANY_JSON, NO_JSON, changed, damaged, quick, read_or_refused

RUN = Run(name="r", grid=load_grid("smoke"), provenance={"git_commit": "x"})
ASSIGNMENT = Assignment(run="r", job="j", indexes=(0, 1, 2))
FILE = SourceFile(name="a", origin="b", size=1, sha256="c")
SHA = "0" * 64
MANIFEST = Manifest(
    name="digits",
    sha256=SHA,
    key=keys.dataset("digits", SHA),
    train=1,
    test=2,
    shape=(8, 8, 1),
    source=(FILE,),
    skipped=0,
    created="c",
)
PARQUET = results.to_bytes(epochs_table(RUN.grid.cells[0]))
FOOTER = 8 + int.from_bytes(PARQUET[-8:-4], "little")
PROGRESS = {
    "record": "progress",
    "cell": "c",
    "attempt": "a",
    "epoch": 1,
    "epochs": 2,
    "step": 1,
    "steps": 2,
    "time": "2026-01-01",
}
PROGRESS |= {"images_per_second": 1.0, "seconds_left": 2.0}
FAILURE = {
    "record": "failure",
    "cell": "c",
    "attempt": "a",
    "kind": "error",
    "exit_code": 1,
    "message": "m",
    "time": "2026-01-01",
}
SETTINGS = st.sampled_from(["dataset", "method", "alpha", "members", "seed", "mnist", "epochs", "name", "bricks"])
VALUES = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.sampled_from(["mnist", "l2", "single", "ST", "x", ""])
)
TABLE = st.dictionaries(SETTINGS, VALUES | st.lists(VALUES, max_size=3), max_size=4)
TABLES = st.sampled_from(["base", "dataset", "member", "product", "exclude", "expect", "x"])
GRIDS = [tomllib.loads((BUILT_IN / f"{name}.toml").read_text()) for name in ("full", "smoke")]


def sealed(form: SealedForm, body: object) -> bytes:
    """The body under a seal that fits: everybody can compute it."""
    return form.to_bytes(body) if isinstance(body, dict) else json.dumps(body).encode()


def bodies(form: SealedForm, good: bytes) -> st.SearchStrategy:
    """Bodies of one form with some places changed, and any other."""
    return changed(form.from_bytes(good, "good")) | ANY_JSON


@quick(60)
@given(bodies(GRID_FORM, RUN.to_bytes()))
def test_a_grid_under_a_seal_that_fits_is_a_run_or_refused(body):
    found = read_or_refused(lambda: Run.from_bytes(sealed(GRID_FORM, body), "here"))

    assert found is None or Run.from_bytes(found.to_bytes(), "again") == found


@quick(60)
@given(bodies(ASSIGNMENT_FORM, ASSIGNMENT.to_bytes()))
def test_a_list_of_cells_under_a_seal_that_fits_is_one_or_refused(body):
    found = read_or_refused(lambda: Assignment.from_bytes(sealed(ASSIGNMENT_FORM, body), "here"))

    assert found is None or Assignment.from_bytes(found.to_bytes(), "again") == found


@quick(60)
@given(bodies(MANIFEST_FORM, MANIFEST.to_bytes()))
def test_a_manifest_under_a_seal_that_fits_is_one_or_refused(local_store, body):
    local_store.put(keys.dataset_manifest("digits"), sealed(MANIFEST_FORM, body))

    found = read_or_refused(lambda: read_manifest(local_store, "digits"))

    assert found is None or Manifest.from_bytes(found.to_bytes(), "again") == found


@pytest.mark.parametrize("content", NO_JSON, ids=lambda c: f"{c[:9]!r} of {len(c)}")
@pytest.mark.parametrize(
    "read", [Run.from_bytes, Assignment.from_bytes, Manifest.from_bytes, records.parse_record], ids=range(4)
)
def test_what_is_no_json_of_a_usable_depth_is_refused(read, content):
    with pytest.raises(InvalidInput, match="here is not "):
        read(content, "here")


@quick(100)
@given(changed(PROGRESS) | changed(FAILURE) | ANY_JSON)
def test_a_record_is_read_or_refused(fields):
    found = read_or_refused(lambda: records.parse_record(json.dumps(fields), "here"))

    assert found is None or records.parse_record(records.to_line(found), "again") == found


@quick(100)
@given(damaged(PARQUET, tail=FOOTER))
def test_a_parquet_file_with_a_damaged_page_or_footer_is_read_or_refused(data):
    found = read_or_refused(lambda: results.from_bytes(data, "epochs", "here"))

    assert found is None or found.schema.names == results.EPOCHS.names


@quick(100)
@given(ANY_JSON | changed({"schema_version": 1, "attempt": "a", "training_seconds": 1.0, "packages": {"a": "1"}}))
def test_provenance_is_of_its_types_or_refused(facts):
    schema = results.EPOCHS.with_metadata({METADATA: json.dumps(facts).encode()})

    found = read_or_refused(lambda: read_provenance(schema, "here")) or {}

    assert isinstance(found.get("training_seconds", 0.0), (int, float))
    assert all(isinstance(version, str) for version in found.get("packages", {}).values())


def test_provenance_of_an_unusable_depth_is_refused():
    schema = results.EPOCHS.with_metadata({METADATA: b"[" * 100_000})

    with pytest.raises(InvalidInput, match="here was not written by this suite"):
        read_provenance(schema, "here")


@quick(100)
@given(st.sampled_from(GRIDS).flatmap(changed) | st.dictionaries(TABLES, TABLE | st.lists(TABLE, max_size=3) | VALUES))
def test_a_grid_file_is_a_grid_or_refused(table):
    found = read_or_refused(lambda: parse_grid("own", table))

    assert found is None or len({c.id for c in found.with_seeds(2).cells}) % 2 == 0
