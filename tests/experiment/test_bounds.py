"""One form of refusal for numbers, and one number however it is written."""

import math

import pytest

from experiment.bounds import check_count, check_number, to_float
from experiment.errors import InvalidInput


@pytest.mark.parametrize("value", [0, 10, 3])
def test_a_whole_number_in_bounds_is_good(value):
    check_count("it", value, 0, 10)


@pytest.mark.parametrize("value", [-1, 11, 1.0, "1", True, None])
def test_what_is_no_whole_number_in_bounds_is_refused(value):
    with pytest.raises(InvalidInput, match=r"it is .*; allowed: a whole number from 0 to 10; correct it in the grid"):
        check_count("it", value, 0, 10)


@pytest.mark.parametrize(
    ("bounds", "value", "allowed"),
    [
        ({"at_least": 0}, -0.1, "of at least 0"),
        ({"above": 0}, 0.0, "above 0"),
        ({"at_least": 0, "below": 1}, 1.0, "of at least 0 and below 1"),
        ({"above": 0, "at_most": 8}, 8.1, "above 0 and of at most 8"),
        ({"above": 0}, math.nan, "above 0"),
        ({"above": 0}, math.inf, "above 0"),
        ({"above": 0}, 1, "above 0"),
    ],
)
def test_a_number_out_of_bounds_is_refused_with_them(bounds, value, allowed):
    with pytest.raises(InvalidInput, match=f"it is .*; allowed: a finite number {allowed}; correct it in the grid"):
        check_number("it", value, **bounds)


def test_a_number_at_its_bounds_is_good():
    check_number("it", 0.0, at_least=0, below=1)
    check_number("it", 8.0, above=0, at_most=8)


@pytest.mark.parametrize(
    ("value", "same"), [(1, "1.0"), (-0.0, "0.0"), (0, "0.0"), (2.5, "2.5"), (True, "True"), ("1", "'1'")]
)
def test_one_number_has_one_form(value, same):
    assert repr(to_float(value)) == same


@pytest.mark.parametrize("value", [10**400, math.inf, None], ids=lambda v: repr(v)[:5])
def test_what_is_no_finite_number_is_left_for_the_check(value):
    assert to_float(value) is value
