"""What the trainer recorded of a result is read from the metadata of its files, and from no other file."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from experiment.errors import InvalidInput
from experiment.provenance import METADATA, read_provenance


def schema(metadata):
    return pa.schema([("epoch", pa.int32())], metadata=metadata)


def test_what_was_recorded_is_read_back():
    facts = {"attempt": "a", "schema_version": 1, "packages": {"numpy": "2"}}

    assert read_provenance(schema({METADATA: json.dumps(facts).encode()}), "here") == facts


def test_a_file_of_the_time_before_inference_was_measured_is_read_as_it_is():
    assert "inference" not in read_provenance(schema({METADATA: b'{"attempt": "a", "schema_version": 1}'}), "here")


@pytest.mark.parametrize("bad", [{"inference": {"M": {"parameters": "many"}}}, {"inference": []}, {"processor": 1}])
def test_inference_of_another_type_is_refused_by_its_name(bad):
    with pytest.raises(InvalidInput, match=f"{next(iter(bad))} of here is of another type"):
        read_provenance(schema({METADATA: json.dumps(bad).encode()}), "here")


@pytest.mark.parametrize(
    "metadata", [None, {b"pandas": b"{}"}, {METADATA: b"{"}, {METADATA: b"1"}, {METADATA: b"\xff"}]
)
def test_a_file_of_another_program_is_named(metadata):
    with pytest.raises(InvalidInput, match="here was not written by this suite"):
        read_provenance(schema(metadata), "here")
