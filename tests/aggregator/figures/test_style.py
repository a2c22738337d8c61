"""The style of figures: lines told apart by width and colour, bytes that repeat, ids that cannot collide on a page."""

from __future__ import annotations

import re

import matplotlib as mpl

from aggregator.figures.style import house_style, line_style, new_figure, render_picture
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
