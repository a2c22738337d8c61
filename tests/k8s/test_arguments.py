"""The launcher's flags: counts are whole numbers, and each setting has a flag that says what it does."""

from __future__ import annotations

import argparse

import pytest

from k8s.arguments import parse_count, parse_launch_arguments


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
