"""The form of figures: panels of equal size, and legends below them."""

from __future__ import annotations

import pytest

from aggregator.figures.style import add_legend, new_sheet


def test_panels_stand_in_rows_and_are_of_equal_size():
    three, nine = new_sheet(3, height=2), new_sheet(9, height=2)

    assert (len(three.panels), len(nine.panels)) == (3, 9)
    assert tuple(nine.figure.get_size_inches()) == pytest.approx((10.8, 6))
    assert {tuple(round(v, 9) for v in a.get_position().bounds[2:]) for a in nine.panels} == {
        tuple(round(v, 9) for v in nine.panels[0].get_position().bounds[2:])
    }


def test_a_legend_stands_below_and_the_figure_grows_by_it():
    def legend_after(count):
        sheet = new_sheet(1, height=2)
        for i in range(count):
            sheet.panels[0].plot([1, 2], label=f"line {i}")
        inches = sheet.panels[0].get_position().height * 2
        add_legend(sheet, sheet.panels[0])
        height = sheet.figure.get_size_inches()[1]
        assert sheet.panels[0].get_position().height * height == pytest.approx(inches), "the panel keeps its size"
        return height, sheet.figure.legends

    assert legend_after(0) == (2, [])
    assert 2 < legend_after(12)[0] < legend_after(52)[0]
    assert len(legend_after(52)[1][0].get_texts()) == 52
