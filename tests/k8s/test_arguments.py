"""The launcher's flags: counts are whole numbers, and each setting has a flag that says what it does."""

from __future__ import annotations

import argparse

import pytest

from experiment.looks import CLAIMS
from k8s.arguments import parse_amount, parse_claims, parse_count, parse_launch_arguments


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", ""])
def test_a_count_is_a_whole_number_of_at_least_one(text):
    assert parse_count("7") == 7
    with pytest.raises(argparse.ArgumentTypeError, match="a whole number of at least 1"):
        parse_count(text)


def test_flags_that_are_not_given_leave_the_choice_to_file_and_environment():
    found = parse_launch_arguments(["--grid", "demo"])

    assert (found.executor, found.store, found.threads) == ("kubernetes", "store", 1)
    assert (found.namespace, found.tensorboard, found.memory) == (None, None, None)


def test_a_flag_may_not_be_shortened(capsys):
    with pytest.raises(SystemExit) as left:
        parse_launch_arguments(["--grid", "demo", "--name", "x"])
    assert left.value.code == 2


def test_claims_are_named_in_any_order_and_all_are_eleven():
    assert parse_claims("4, l2-1,1,4") == ("1", "4", "L2-1")
    assert parse_claims("all") == CLAIMS
    for text in ("", "7", "1,,2", "all,1"):
        with pytest.raises(argparse.ArgumentTypeError, match="all, or some of 1, 2, 3"):
            parse_claims(text)


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "much", ""])
def test_an_amount_is_a_finite_number_above_zero(text):
    assert parse_amount("0.5") == 0.5
    with pytest.raises(argparse.ArgumentTypeError, match="a finite number above 0"):
        parse_amount(text)
