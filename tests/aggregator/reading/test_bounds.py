"""Rows that cannot be are found: one for each cell and fault. tests/aggregator/test_malformed.py has a case for each kind."""

from __future__ import annotations

import numpy as np

from aggregator.reading.bounds import find_impossible_rows
from aggregator.reading.epochs import read_epochs, to_frame
from experiment import keys


def impossible(store, cells, change):
    frame = to_frame(read_epochs(store, [keys.epochs(c) for c in cells[:3]]).epochs)
    change(frame)
    return list(find_impossible_rows(frame, np.arange(180) // 60))


def test_rows_as_the_trainer_writes_them_are_possible(store, cells):
    assert impossible(store, cells, lambda frame: None) == []


def test_the_first_wrong_row_of_each_cell_is_shown_with_its_value(store, cells):
    def change(frame):
        frame.loc[[70, 71, 130], "test_ece"] = [1.25, 7.0, -0.5]

    assert impossible(store, cells, change) == [
        (70, "test_ece is 1.25; allowed: numbers from 0 to 1"),
        (130, "test_ece is -0.5; allowed: numbers from 0 to 1"),
    ]


def test_a_figure_that_was_not_measured_is_possible_but_an_error_is_not(store, cells):
    def change(frame):
        frame[["test_ece", "test_cost"]] = np.nan
        frame.loc[60:119, "test_error"] = np.nan

    assert impossible(store, cells, change) == [(60, "test_error is nan; allowed: numbers from 0 to 1")]


def test_an_error_of_a_large_test_set_is_a_count_whatever_its_last_bits(store, cells):
    def change(frame):
        frame["test_examples"] = 18_724
        frame["test_error"] = np.arange(180) * 104 / 18_724 * (1 + 2e-16)

    assert impossible(store, cells, change) == []
