"""Records are one line of JSON each, and what is none is refused."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment import records
from experiment.errors import InvalidInput
from experiment.records import Failure, Outcome, Progress, Throughput, Turn

COUNT = st.integers(-(2**62), 2**62)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
BY_TYPE = {"int": COUNT, "float": NUMBER, "int | None": st.none() | COUNT}
TEXT = st.text().filter(str.isprintable)
PROGRESS = Progress(
    cell="c",
    attempt="a",
    epoch=1,
    epochs=2,
    step=1,
    steps=2,
    images_per_second=1.0,
    seconds_left=2.0,
    time="2026-01-01",
)


def records_of(kind):
    """Any record of one kind."""
    return st.builds(kind, **{f.name: BY_TYPE.get(str(f.type), TEXT) for f in dataclasses.fields(kind)})


any_record = st.one_of(*map(records_of, (Turn, Progress, Failure, Outcome, Throughput)))


@given(any_record)
def test_a_record_survives_the_way_through_its_line(record):
    line = records.to_line(record)

    assert "\n" not in line
    assert records.parse_record(line, "here") == record
    assert records.parse_record(records.to_bytes(record), "here") == record


@pytest.mark.parametrize("line", ["", "{", "[]", "3", "null", "{}", '{"record": "spell"}', '{"record": []}', "\x00"])
def test_what_is_no_record_is_refused(line):
    with pytest.raises(
        InvalidInput, match="here is not a record of this suite; allowed: turn, progress, start, failure, outcome"
    ):
        records.parse_record(line, "here")


def test_a_record_with_other_fields_is_refused_by_their_names():
    with pytest.raises(InvalidInput, match="an outcome lacks index, cell, state; given: nothing"):
        records.parse_record('{"record": "outcome"}', "here")
    with pytest.raises(InvalidInput, match="a setting of an outcome is 'mood'; allowed: index, cell"):
        records.parse_record('{"record": "outcome", "index": 1, "cell": "c", "state": "s", "mood": "m"}', "here")


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": "1"},
        {"epoch": True},
        {"epoch": 10**400},
        {"images_per_second": float("nan")},
        {"seconds_left": float("inf")},
        {"time": ["2026"]},
        {"attempt": None},
    ],
)
def test_a_field_of_another_type_is_refused_by_its_name(change):
    fields = json.loads(records.to_line(PROGRESS)) | change

    with pytest.raises(InvalidInput, match=f"{next(iter(change))} of here is of another type .*; allowed: "):
        records.parse_record(json.dumps(fields), "here")


def test_what_steers_a_terminal_comes_back_as_escapes_but_for_the_lines_of_a_traceback():
    given = Failure(
        cell="c", attempt="a", kind="error", exit_code=1, message="a\x1b[2J\nb", time="", traceback="1\n\x1b2"
    )

    found = records.parse_record(records.to_line(given), "here")

    assert (found.message, found.traceback) == ("a\\x1b[2J\\nb", "1\n\\x1b2")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01"])
def test_what_is_no_time_is_older_than_every_time(text):
    assert records.parse_time(text) < records.parse_time("0002-01-01") < records.parse_time(records.utc_now())


@pytest.mark.parametrize(
    ("text", "recent"),
    [
        ("2026-11-01T11:58:31+00:00", True),
        ("2026-11-01T12:01:29", True),  # a clock that is a little ahead
        ("2026-11-01T11:58:29+00:00", False),
        ("2026-11-01T15:00:00+00:00", False),
        ("yesterday", False),
    ],
)
def test_a_time_is_recent_on_either_side_of_now(text, recent):
    assert records.is_recent(text, datetime(2026, 11, 1, 12, tzinfo=UTC), 90) == recent
