"""Forecast and cost side by side, by Job; what is missing is a dash, and what is damaged a sentence."""

from __future__ import annotations

import csv

import pytest

from aggregator.report.budget import Budget, compare_budget, read_budget
from experiment import keys, spending
from experiment.spending import Forecast, Spent
from tests.aggregator.report_of import text_files

EXPECTED = Forecast(job="r-digits-1", dataset="digits", cells=13, hours=2.0, dollars=3.0, price=0.5)
TAKEN = Spent(
    job="r-digits-1",
    dataset="digits",
    price=0.5,
    seconds=8 * 3600,
    began="2026-11-01T11:00:00+00:00",
    until="2026-11-01T14:00:00+00:00",
)
LATER = Spent(
    job="r-digits-2",
    dataset="digits",
    price=0.25,
    seconds=7200,
    began="2026-11-01T15:00:00+00:00",
    until="2026-11-01T17:00:00+00:00",
)


def texts(table):
    return [[entry.text for entry in row] for row in table.rows]


def test_a_run_that_has_neither_has_no_table():
    assert compare_budget(Budget()) == []
    assert compare_budget(Budget(forecasts=[EXPECTED]))[0].rows[0][3].absent


def test_each_job_and_all_together_are_compared():
    (table,) = compare_budget(Budget(forecasts=[EXPECTED], spent=[TAKEN, LATER]))

    assert table.columns[2:4] == ("hours, forecast", "hours, taken")
    assert texts(table) == [
        ["r-digits-1", "13", "2", "3", "6", "8", "3.00", "4.00"],
        ["r-digits-2", "–", "–", "2", "–", "2", "–", "0.50"],
        ["together", "13", "2", "6", "6", "10", "3.00", "4.50"],
    ]


def test_the_report_has_it_as_a_file_and_on_its_page(store, gather):
    run = gather(store).run.run.name
    store.put(keys.forecast(run, EXPECTED.job), spending.forecast_to_bytes(EXPECTED))
    store.put(keys.report(run, keys.SPENT), spending.spent_to_bytes([TAKEN]))
    files = text_files(gather(store))
    (row,) = csv.DictReader(files["tables/forecast.csv"].splitlines())

    assert (row["dollars, forecast"], row["dollars, taken"]) == ("3", "4")
    assert "Forecast and cost" in files["index.html"]


@pytest.mark.parametrize("key", [keys.forecast("r", "j"), keys.report("r", keys.SPENT)])
def test_a_damaged_record_is_a_sentence_and_the_other_one_is_shown(local_store, key):
    local_store.put(keys.forecast("r", EXPECTED.job), spending.forecast_to_bytes(EXPECTED))
    local_store.put(keys.report("r", keys.SPENT), spending.spent_to_bytes([TAKEN]))
    local_store.put(key, b"{}")

    budget, (remark,) = read_budget(local_store, "r")

    assert remark.startswith("Forecast and cost are not compared: ") and key in remark
    assert bool(budget.spent) != bool(budget.forecasts)
