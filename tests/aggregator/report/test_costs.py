"""Hours and dollars."""

from __future__ import annotations

import csv
import math

import pytest

from aggregator.report.costs import price_per_hour
from experiment.grid import load_grid
from tests.aggregator import factories
from tests.aggregator.claims.truths import jitter
from tests.aggregator.report_of import text_files


def test_dollars_are_shown_only_for_a_price_that_was_given(made_report, store, gather):
    _, files = made_report
    without = text_files(gather(store))

    assert b"0.15" in files["tables/digits-cost.csv"]  # ten minutes at 0.90
    assert "No price is known" not in files["index.html"].decode()
    assert "No price is known" in without["index.html"]
    assert next(csv.DictReader(without["tables/digits-cost.csv"].splitlines()))["dollars"] == ""


def test_the_longest_name_that_fits_a_device_gives_its_price():
    prices = {"": 1.0, "a100": 2.0, "A100-SXM4": 3.0}

    assert price_per_hour("NVIDIA A100-SXM4-80GB", prices) == 3.0
    assert price_per_hour("NVIDIA A100-PCIE", prices) == 2.0
    assert price_per_hour("Tesla K80", prices) == 1.0
    assert math.isnan(price_per_hour("Tesla K80", {"a100": 2.0}))


def test_hours_are_counted_once_for_each_cell(made_report):
    rows = made_report[1]["tables/cost-by-device.csv"].decode().splitlines()

    assert rows[1].startswith("CPU <fast>,13,2.1666")  # 13 cells of ten minutes


def test_a_gain_has_a_price_only_where_it_is_shown(tmp_path, gather):
    def error(cell, model):
        gain = {"l2": 0.02, "l1": 0.001}.get(cell.method, 0.0)
        return factories.flat_error(cell, model) + 0.05 - gain + jitter(cell, model)

    cells = [c for c in load_grid("demo").with_seeds(5).cells if c.method in ("single", "l2", "l1")]
    store = factories.committed_store(tmp_path / "s", cells=cells, error=error, predictions=False)
    table = text_files(gather(store))["tables/digits-cost.csv"].splitlines()
    rows = {(row["method"], float(row["alpha"])): row for row in csv.DictReader(table)}
    shown, noise = rows["l2", 0.1], rows["l1", 0.1]

    assert float(shown["gain (pp)"]) == pytest.approx(2, rel=0.5)
    assert float(shown["hours per pp"]) == pytest.approx(1 / 6 / float(shown["gain (pp)"]))
    assert noise["hours per pp"] == "no gain shown"
    assert {row["hours beyond Single"] for (method, _), row in rows.items() if method != "single"} == {"0"}
