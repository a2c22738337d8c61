"""Records are one line of JSON each, and what is none is refused."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment import records
from experiment.errors import InvalidInput
from experiment.records import Failure, Outcome, Progress, Throughput

NUMBER = st.floats(allow_nan=False, allow_infinity=False)
BY_TYPE = {"int": st.integers(), "float": NUMBER, "int | None": st.none() | st.integers()}


def records_of(kind):
    """Any record of one kind."""
    return st.builds(kind, **{f.name: BY_TYPE.get(str(f.type), st.text()) for f in dataclasses.fields(kind)})


any_record = st.one_of(*map(records_of, (Progress, Failure, Outcome, Throughput)))


@given(any_record)
def test_a_record_survives_the_way_through_its_line(record):
    line = records.to_line(record)

    assert "\n" not in line
    assert records.parse_record(line, "here") == record
    assert records.parse_record(records.to_bytes(record), "here") == record


@pytest.mark.parametrize("line", ["", "{", "[]", "3", "null", "{}", '{"record": "spell"}', '{"record": []}', "\x00"])
def test_what_is_no_record_is_refused(line):
    with pytest.raises(InvalidInput, match="here is not a record of this suite; allowed: progress, failure, outcome"):
        records.parse_record(line, "here")


def test_a_record_with_other_fields_is_refused_by_their_names():
    with pytest.raises(InvalidInput, match="an outcome lacks index, cell, state; given: nothing"):
        records.parse_record('{"record": "outcome"}', "here")
    with pytest.raises(InvalidInput, match="a setting of an outcome is 'mood'; allowed: index, cell"):
        records.parse_record('{"record": "outcome", "index": 1, "cell": "c", "state": "s", "mood": "m"}', "here")
