"""The form of figures: panels of equal size, and legends below them."""

from __future__ import annotations

import pytest

from aggregator.figures.style import PANEL, add_legend, fit_names, new_sheet


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


def test_rows_of_any_name_leave_the_axes_room():
    long = "members ST 3x1x8 + ST2 3x1x8 + ST3 3x1x8 + ST4 3x1x8 · pairs all · data_of_ones_own_with_a_very_long_name"
    short, names = fit_names(["CE 1.0"]), fit_names(["CE 1.0", long])

    assert " ".join(names.texts[1].split("\n")).replace(" ", "") == long.replace(" ", "")
    assert short.height < names.height and short.left < names.left
    axes = new_sheet(3, height=1 + 2 * names.height, left=names.left).panels[0]
    assert axes.get_position().width * 3 * PANEL > 1.2, "inches"


def test_numbers_along_narrow_axes_do_not_overlap():
    wide, narrow = (new_sheet(1, height=2, left=left).panels[0] for left in (0.62, 2.0))
    for axes in (wide, narrow):
        axes.set_xlim(0, 1)

    assert len(wide.get_xticks()) > len(narrow.get_xticks()) >= 3
