"""The form of all figures: panels that are whole by themselves, so that the page stacks them on a phone."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from aggregator.figures.palette import FAINT, INK

PANEL, PER_ROW = 3.6, 3  # inches: as wide as a phone shows without shrinking it; panels in a row of a file
LEFT, RIGHT, TOP, BOTTOM = 0.62, 0.14, 0.36, 0.5  # inches around the axes of a panel
LETTER, LINE = 0.075, 0.14  # inches of a letter and of a line of a row's name
LONGEST_LINE = 22  # letters of a line: half of a panel
NAMES = 0.95  # inches at the left where rows have the names of treatments
LEGEND_LINE, LEGEND_COLUMNS = 0.185, 2  # inches of a line
TICKS, TICK = 5, 0.45  # at most of an axis, since drawing them takes most of the time; inches that one's number takes
STEPS = [1, 2, 2.5, 5, 10]
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


class RowNames(NamedTuple):
    """The names of a figure's rows, in lines: the inches at the left that they take, and the height of a row."""

    texts: list[str]
    left: float
    height: float


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


def fit_names(names: Iterable[str]) -> RowNames:
    """Breaks the names of rows into lines that leave the axes of a panel their room."""
    broken = [textwrap.wrap(name, LONGEST_LINE) for name in names]
    return RowNames(
        texts=["\n".join(lines) for lines in broken],
        left=max(NAMES, 0.3 + LETTER * max(len(line) for lines in broken for line in lines)),
        height=0.07 + LINE * max(map(len, broken)),
    )


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
    across = max(3, min(TICKS, int((PANEL - left - RIGHT) / TICK)))
    for one in axes:
        one.xaxis.set_major_locator(MaxNLocator(across, steps=STEPS))
        one.yaxis.set_major_locator(MaxNLocator(TICKS, steps=STEPS))
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
    corner = (0.1 / width, 0.0)
    sheet.figure.legend(handles, labels, ncols=LEGEND_COLUMNS, loc="lower left", bbox_to_anchor=corner)
    sheet.boxes.append(Box(0, height, PANEL, extra))


def hint(artist: Artist, words: str) -> None:
    """Gives what is drawn a text that a page shows where the pointer rests on it."""
    artist.set_gid(HINT + words)
