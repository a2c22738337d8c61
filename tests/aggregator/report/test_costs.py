"""Hours and dollars."""

from __future__ import annotations

import math

from aggregator.report.costs import price_per_hour
from tests.aggregator.report_of import text_files


def test_dollars_are_shown_only_for_a_price_that_was_given(made_report, store, gather):
    _, files = made_report
    without = text_files(gather(store))

    assert b"0.15" in files["tables/digits-cost.csv"]  # ten minutes at 0.90
    assert "No price is known" not in files["index.html"].decode()
    assert "No price is known" in without["index.html"]
    assert without["tables/digits-cost.csv"].splitlines()[1].split(",")[3] == ""


def test_the_longest_name_that_fits_a_device_gives_its_price():
    prices = {"": 1.0, "a100": 2.0, "A100-SXM4": 3.0}

    assert price_per_hour("NVIDIA A100-SXM4-80GB", prices) == 3.0
    assert price_per_hour("NVIDIA A100-PCIE", prices) == 2.0
    assert price_per_hour("Tesla K80", prices) == 1.0
    assert math.isnan(price_per_hour("Tesla K80", {"a100": 2.0}))


def test_hours_are_counted_once_for_each_cell(made_report):
    rows = made_report[1]["tables/cost-by-device.csv"].decode().splitlines()

    assert rows[1].startswith("CPU <fast>,13.0,2.1666")  # 13 cells of ten minutes
