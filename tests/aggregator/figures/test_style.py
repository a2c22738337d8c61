"""The style of figures: lines told apart by width and colour, bytes that repeat, ids that cannot collide on a page."""

from __future__ import annotations

import re

import matplotlib as mpl

from aggregator.figures.style import add_legend, house_style, line_style, new_figure, render_picture
from aggregator.study import Treatment

ALPHAS = [1.0, 0.1, 0.01, 0.0001]


def draw(name="n", title="t"):
    with house_style():
        figure, panels = new_figure(2, height=2)
        panels[0].plot([1, 2], [3, 4], clip_on=True)
        return render_picture(figure, name=name, title=title, caption="c")


def test_lines_grow_thicker_and_lighter_as_alpha_falls():
    styles = [line_style(Treatment("l2", a), ALPHAS) for a in ALPHAS]

    assert [width for _, width in styles] == sorted(width for _, width in styles)
    assert len({colour for colour, _ in styles}) == 4


def test_the_same_figure_has_the_same_bytes():
    assert draw() == draw()


def test_pictures_of_two_names_share_no_id():
    one, other = (set(re.findall(r'id="([^"]+)"', draw(name).svg)) for name in ("one", "other"))

    assert one and other
    assert not one & other


def test_a_title_cannot_leave_its_attribute():
    assert 'aria-label="&lt;b> &quot;x&quot; &amp; y"' in draw(title='<b> "x" & y').svg


def test_the_users_own_style_is_neither_used_nor_changed():
    plain = draw()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert draw() == plain
        assert mpl.rcParams["font.size"] == 30


def test_panels_of_many_models_stand_in_rows_of_equal_height():
    one, panels = new_figure(3, height=2)
    three, many = new_figure(9, height=2)

    assert (len(panels), len(many)) == (3, 9)
    assert len(three.axes) == 9
    assert tuple(three.get_size_inches()) == (11, 6)
    assert tuple(one.get_size_inches()) == (11, 2)


def legend_after(count):
    figure, panels = new_figure(1, height=2)
    for i in range(count):
        panels[0].plot([1, 2], label=f"line {i}")
    add_legend(figure, panels[0])
    return figure


def test_a_legend_of_many_lines_stands_below_and_the_figure_grows():
    assert legend_after(12).get_size_inches()[1] == 2
    assert legend_after(52).get_size_inches()[1] > 3
    assert len(legend_after(52).legends[0].get_texts()) == 52
    assert legend_after(0).legends == []
