"""How a figure becomes bytes: one SVG and one PNG for files, and for the page an SVG of each of its panels."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG

from aggregator.figures.palette import use_variables
from aggregator.figures.style import HINT, Box, Sheet

DPI = 130  # of the PNG


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A drawn figure.

    Attributes:
        name: of its files.
        caption: what is drawn and what to see.
        note: names what is not in the picture: missing cells, lines out of range.
        svg: for the page: an element for each panel, with texts as texts and colours for light and dark.
        file_svg, png: for files, on white.
    """

    name: str
    title: str
    caption: str
    note: str
    svg: str
    file_svg: bytes
    png: bytes


def render_picture(sheet: Sheet, *, name: str, title: str, caption: str, note: str = "") -> Picture:
    """Returns the figure's bytes; the same figure gives the same bytes."""
    figure = sheet.figure
    sink, image = io.BytesIO(), io.BytesIO()
    figure.set_facecolor("white")
    canvas: Any = FigureCanvasAgg(figure)  # typed in part only
    figure.set_dpi(DPI)
    canvas.print_png(image, metadata={"Software": None}, pil_kwargs={"compress_level": 3})
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
    with mpl.rc_context({"svg.hashsalt": name}):
        canvas = FigureCanvasSVG(figure)
        canvas.print_svg(sink, metadata={"Date": None, "Creator": None})
    svg = _add_hints(sink.getvalue().decode())
    white = svg.replace('<g id="figure_1">', '<rect width="100%" height="100%" fill="#ffffff"/><g id="figure_1">', 1)
    inline = _inline_svg(svg, name, sheet)
    return Picture(
        name=name, title=title, caption=caption, note=note, svg=inline, file_svg=white.encode(), png=image.getvalue()
    )


def _add_hints(svg: str) -> str:
    return re.sub(rf"""<g id=(["']){HINT}(.*?)\1>""", r"<g><title>\2</title>", svg)


def _inline_svg(svg: str, name: str, sheet: Sheet) -> str:
    """Returns an element for each box with what is drawn in it: ids of the figure's own, the page's colours and fonts."""
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(url\(|href=")#', rf"\1#{name}-", svg)
    svg = re.sub(r"font: ([\d.]+px) 'DejaVu Sans'[^;\"]*", r"font: \1 var(--plot)", use_variables(svg))
    groups = re.findall(r"^  <g .*?^  </g>", svg, re.DOTALL | re.MULTILINE)
    places = [_find_box(axes, sheet) for axes in sheet.figure.axes] + [len(sheet.boxes) - 1] * len(sheet.figure.legends)
    clips = "".join(re.findall(r"^ <defs>\n  <clipPath.*?^ </defs>", svg, re.DOTALL | re.MULTILINE))
    drawn = [""] * len(sheet.boxes)
    drawn[0] = clips
    for group, place in zip(groups, places, strict=True):
        drawn[place] += group
    whole = "".join(_show_box(box, content) for box, content in zip(sheet.boxes, drawn, strict=True))
    return re.sub(r"\n\s*", "\n", whole)


def _find_box(axes: Axes, sheet: Sheet) -> int:
    """Returns which box holds the centre of the axes."""
    width, height = sheet.figure.get_size_inches()
    place = axes.get_position()
    x, y = width * (place.x0 + place.x1) / 2, height * (1 - (place.y0 + place.y1) / 2)
    inside = [b.left <= x < b.left + b.width and b.top <= y < b.top + b.height for b in sheet.boxes]
    return inside.index(True)


def _show_box(box: Box, content: str) -> str:
    left, top, width, height = (f"{72 * v:.6g}" for v in box)
    view = f'viewBox="{left} {top} {width} {height}" style="width: {96 * box.width:.0f}px"'
    return f"<svg {view}>{content}</svg>\n"
