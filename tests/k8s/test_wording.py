"""Times, counts and progress read the same wherever they are shown."""

from __future__ import annotations

import dataclasses

import pytest

from k8s.wording import count_done, count_times, describe_progress, format_duration
from tests.k8s.cluster_objects import progress


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (59.4, "59 s"),
        (60, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (7800, "2 h 10 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_time_span_is_written_for_people(seconds, text):
    assert format_duration(seconds) == text


def test_a_cells_progress_is_told_in_words():
    record = progress("cell")

    assert describe_progress(record) == "epoch 1/3, 50 images/s, 1 min 01 s left"
    assert describe_progress(dataclasses.replace(record, images_per_second=1234.4)).split(", ")[1] == "1,234 images/s"
    assert describe_progress(dataclasses.replace(record, images_per_second=0.0)) == "starts"


def test_counts_are_told_in_words():
    assert count_done(2, 13) == "2 of 13 cells done"
    assert (count_times(1), count_times(3)) == ("once", "3 times")
