"""The style of all figures: colours by method, widths by alpha, greys for Single; and how a figure becomes bytes.

People with the common forms of colour blindness can tell the colours apart, and no figure relies on colours alone:
methods have panels or markers of their own, alphas have widths, train and test have dashes.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aggregator.study import Treatment

INK, FAINT = "#1b1f24", "#d4d7db"
COLOURS = {"ce": "#2166ac", "l2": "#6a3d9a", "l1": "#1b7f4b", "single": "#6b7280"}
# From alpha's largest value to its smallest: thinner and darker to thicker and lighter, as in the paper.
SHADES = {
    "ce": ("#0b3d75", "#2166ac", "#4f93cf", "#86bce6"),
    "l2": ("#3f1d6b", "#6a3d9a", "#9270bf", "#b9a3dc"),
    "l1": ("#0c5230", "#1b7f4b", "#4fab78", "#8fd0ab"),
}
SINGLES = ("#9ca3af", "#4b5563", INK)  # member, member, ensemble
WIDTH, PER_ROW = 11.0, 4  # inches over all; panels in a row, columns of a wide legend
MOST_BESIDE, LEGEND_LINE = 16, 0.16  # lines of a legend beside the panels; inches of a line
MARKERS = {"ce": "o", "l2": "s", "l1": "^", "single": "D"}
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
    "legend.fontsize": 7.5,
    "lines.solid_capstyle": "round",
    "path.simplify": True,
    "svg.fonttype": "none",
    "figure.dpi": 100,
}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A drawn figure.

    Attributes:
        name: of its files.
        caption: what is drawn and what to see.
        note: names what is not in the picture: missing cells, lines out of range.
        svg: for the page, with texts as texts and colours for light and dark.
        file_svg, png: for files, on white.
    """

    name: str
    title: str
    caption: str
    note: str
    svg: str
    file_svg: bytes
    png: bytes


def line_style(treatment: Treatment, alphas: Sequence[float]) -> tuple[str, float]:
    """Returns (colour, width) of a treatment's line; ``alphas`` are those of its method, from large to small."""
    shades = SHADES[treatment.method]
    place = alphas.index(treatment.alpha) / max(len(alphas) - 1, 1)
    return shades[round(place * (len(shades) - 1))], 1.0 + 2.6 * place


@contextmanager
def house_style() -> Iterator[None]:
    """Draws in the house style, whatever the user's matplotlib settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def new_figure(
    panels: int, *, width: float = WIDTH, height: float, per_row: int = PER_ROW, share_y: bool = False
) -> tuple[Figure, list[Axes]]:
    """Returns a figure of panels in rows, in inches over all and for each row.

    pyplot is not used because it keeps every figure in memory.
    """
    rows = math.ceil(panels / per_row)
    figure = Figure(figsize=(width, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, min(panels, per_row), squeeze=False, sharey=share_y).flat)
    for unused in axes[panels:]:
        unused.remove()
    return figure, axes[:panels]


def add_legend(figure: Figure, axes: Axes) -> None:
    """Adds the legend of one panel to the figure: at its right or, with many lines, below, where the figure grows."""
    handles, labels = axes.get_legend_handles_labels()
    if 0 < len(handles) <= MOST_BESIDE:
        figure.legend(handles, labels, loc="outside right center")
    elif handles:
        width, height = figure.get_size_inches()
        figure.set_size_inches(width, height + LEGEND_LINE * math.ceil(len(handles) / PER_ROW))
        figure.legend(handles, labels, loc="outside lower center", ncols=PER_ROW)


def render_picture(figure: Figure, *, name: str, title: str, caption: str, note: str = "") -> Picture:
    """Returns the figure's bytes; the same figure gives the same bytes."""
    with mpl.rc_context({"svg.hashsalt": name}):
        sink = io.BytesIO()
        figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = sink.getvalue()
    figure.set_layout_engine("none")  # the panels have their places now
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=130, facecolor="white", metadata={"Software": None})
    white = svg.replace(b'<g id="figure_1">', b'<rect width="100%" height="100%" fill="#ffffff"/><g id="figure_1">', 1)
    inline = _inline_svg(svg.decode(), name, title)
    png = image.getvalue()
    return Picture(name=name, title=title, caption=caption, note=note, svg=inline, file_svg=white, png=png)


def _inline_svg(svg: str, name: str, title: str) -> str:
    """Returns the SVG as an element of a page: ids of its own, no prolog, a name for screen readers, the page's ink."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(url\(|href=")#', rf"\1#{name}-", svg)
    head, rest = svg.split(">", 1)
    width = float((re.search(r' width="([\d.]+)pt"', head) or ["", "792"])[1]) / 72
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    head += f' role="img" aria-label="{_escape_attribute(title)}" style="max-width: {width * 6.2:.0f}rem"'
    for colour, variable in ((INK, "--ink"), (FAINT, "--line"), (SINGLES[0], "--s1"), (SINGLES[1], "--s2")):
        rest = rest.replace(colour, f"var({variable})")
    rest = re.sub(r"font: ([\d.]+px) 'DejaVu Sans'[^;\"]*", r"font: \1 var(--plot)", rest)
    return head + ">" + re.sub(r"\n\s*", "\n", rest)


def _escape_attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
