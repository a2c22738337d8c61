"""Numbers are written for readers: true minus signs, no negative zero, times in the unit that suits them."""

from __future__ import annotations

import math

import pytest

from aggregator.entries import hours_entry, interval_entry, known_entry, number_entry, show_hours, show_number
from aggregator.statistics import Difference


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (-1.5, ".2f", "−1.50"),
        (-0.001, ".2f", "0.00"),
        (0.0, "+.2f", "0.00"),
        (0.25, "+.2f", "+0.25"),
        (-1e-05, ".2g", "−1e-05"),
    ],
)
def test_a_minus_is_a_minus_and_zero_has_no_sign(value, form, text):
    assert show_number(value, form) == text


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0.00319, "11.5 s"), (0.25, "15 min"), (1.9, "114 min"), (2.5, "2.5 h"), (1234.5, "1,234 h"), (0.0, "0 s")],
)
def test_times_are_in_the_unit_that_suits_them(hours, text):
    assert show_hours(hours) == text
    assert hours_entry(hours).value == hours, "files have hours"


def test_a_difference_of_times_has_its_sign():
    assert show_hours(-0.001, "+") == "−3.6 s"
    assert show_hours(0.001, "+") == "+3.6 s"


def test_what_lacks_a_price_is_not_marked_as_missing():
    assert not known_entry(math.nan, ".2f").absent
    assert number_entry(math.nan, ".2f").absent
    assert hours_entry(math.nan).absent


def test_an_interval_is_shown_where_there_is_one():
    d = Difference(effect=-1.0, error=0.5, freedom=float("inf"), n=9, test="t")

    assert interval_entry(d).text == "−1.980 to −0.020"
    assert interval_entry(None).text == "–"
