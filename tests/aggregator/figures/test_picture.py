"""A figure as bytes: panels that a page stacks, bytes that repeat, ids that cannot collide on a page."""

from __future__ import annotations

import re

import matplotlib as mpl

from aggregator.figures.picture import render_picture
from aggregator.figures.style import add_legend, hint, house_style, new_sheet


def draw(name="n", title="t"):
    with house_style():
        sheet = new_sheet(2, height=2)
        (line,) = sheet.panels[0].plot([1, 2], [3, 4], clip_on=True, label="a < b")
        hint(line, "4 at epoch 2 <b>")
        add_legend(sheet, sheet.panels[0])
        return render_picture(sheet, name=name, title=title, caption="c")


def test_each_panel_and_the_legend_is_a_picture_of_its_own_so_that_a_phone_stacks_them():
    parts = draw().svg.split("</svg>")[:-1]
    boxes = [re.search(r'viewBox="([^"]+)" style="width: (\d+)px"', part).groups() for part in parts]

    assert [view.split()[:2] for view, _ in boxes] == [["0", "0"], ["259.2", "0"], ["0", "144"]]
    assert {width for _, width in boxes} == {"346"}, "a phone of 390 px shows it without shrinking its texts"
    assert [part.count("n-axes_") for part in parts] == [1, 1, 0]
    assert "a &lt; b" in parts[2]


def test_a_hint_is_a_title_in_the_page_and_in_the_file_and_cannot_leave_it():
    assert "<title>4 at epoch 2 &lt;b&gt;</title>" in draw().svg
    assert b"<title>4 at epoch 2 &lt;b&gt;</title>" in draw().file_svg


def test_the_same_figure_has_the_same_bytes():
    assert draw() == draw()


def test_pictures_of_two_names_share_no_id():
    one, other = (set(re.findall(r'id="([^"]+)"', draw(name).svg)) for name in ("one", "other"))

    assert one and other
    assert not one & other


def test_the_users_own_style_is_neither_used_nor_changed():
    plain = draw()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert draw() == plain
        assert mpl.rcParams["font.size"] == 30
