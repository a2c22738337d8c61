"""The form of all figures: panels that are whole by themselves, so that the page stacks them; and how a figure becomes bytes."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from aggregator.figures.palette import FAINT, INK, use_variables

PANEL, PER_ROW = 3.6, 3  # inches: as wide as a phone shows without shrinking it; panels in a row of a file
LEFT, RIGHT, TOP, BOTTOM = 0.62, 0.14, 0.36, 0.5  # inches around the axes of a panel
NAMES = 0.95  # inches at the left where rows have the names of treatments
LEGEND_LINE, LEGEND_COLUMNS = 0.185, 2  # inches of a line
HINT = "hint: "
_RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 2.2,
    "legend.columnspacing": 1.2,
    "lines.solid_capstyle": "round",
    "path.simplify": True,
    "svg.fonttype": "none",
    "figure.dpi": 100,
}


class Box(NamedTuple):
    """A part of a figure, in inches from its left upper corner."""

    left: float
    top: float
    width: float
    height: float


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


@dataclass(kw_only=True)
class Sheet:
    """A figure with its panels, and the parts that a page shows as pictures of their own."""

    figure: Figure
    panels: list[Axes]
    boxes: list[Box]


@contextmanager
def house_style() -> Iterator[None]:
    """Draws in the house style, whatever the user's matplotlib settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def new_sheet(
    panels: int, *, height: float, left: float = LEFT, bottom: float = BOTTOM, share_y: bool = False
) -> Sheet:
    """Returns a figure of panels in rows. All of them have axes of the same size, and labels of their own.

    Places are given and not found by drawing, which would take as long as the drawing itself; pyplot is not used because it
    keeps every figure in memory.

    Args:
        height: of a panel in inches; ``left`` and ``bottom`` are the margins that its labels need.
    """
    columns, rows = min(panels, PER_ROW), math.ceil(panels / PER_ROW)
    width, whole = PANEL * columns, height * rows
    figure = Figure(figsize=(width, whole))
    boxes = [Box(PANEL * (i % PER_ROW), height * (i // PER_ROW), PANEL, height) for i in range(panels)]
    axes: list[Axes] = []
    for box in boxes:
        low = whole - box.top - height + bottom
        place = (box.left + left, low, PANEL - left - RIGHT, height - bottom - TOP)
        shares = [v / (width, whole)[k % 2] for k, v in enumerate(place)]
        axes.append(
            figure.add_axes((shares[0], shares[1], shares[2], shares[3]), sharey=axes[0] if share_y and axes else None)
        )
    return Sheet(figure=figure, panels=axes, boxes=boxes)


def add_legend(sheet: Sheet, axes: Axes) -> None:
    """Adds the legend of one panel below the figure, which grows by it."""
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    width, height = sheet.figure.get_size_inches()
    extra = LEGEND_LINE * math.ceil(len(handles) / LEGEND_COLUMNS) + 0.15
    sheet.figure.set_size_inches(width, height + extra)
    for panel in sheet.figure.axes:
        place = panel.get_position()
        share = height / (height + extra)
        panel.set_position((place.x0, 1 - (1 - place.y0) * share, place.width, place.height * share))
    place = {"loc": "lower left", "bbox_to_anchor": (0.1 / width, 0.0)}
    sheet.figure.legend(handles, labels, ncols=LEGEND_COLUMNS, **place)
    sheet.boxes.append(Box(0, height, PANEL, extra))


def hint(artist: Artist, words: str) -> None:
    """Gives what is drawn a text that a page shows where the pointer rests on it."""
    artist.set_gid(HINT + words)


def render_picture(sheet: Sheet, *, name: str, title: str, caption: str, note: str = "") -> Picture:
    """Returns the figure's bytes; the same figure gives the same bytes."""
    figure = sheet.figure
    sink, image = io.BytesIO(), io.BytesIO()
    figure.set_facecolor("white")
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(130)
    canvas.print_png(image, metadata={"Software": None})
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
    with mpl.rc_context({"svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(sink, metadata={"Date": None, "Creator": None})
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
