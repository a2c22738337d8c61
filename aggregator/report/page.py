"""The report's page: sections of words, tables and pictures, rendered as one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from aggregator.figures.palette import PAPER, css_variables
from aggregator.figures.style import Picture
from aggregator.tables import Table


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page.

    Attributes:
        anchor: the id that the contents link to.
        words: paragraphs before the tables and pictures.
        unfolded: how many of the blocks are open; the rest are folded until a reader opens them. None: all.
    """

    anchor: str
    title: str
    words: tuple[str, ...] = ()
    blocks: tuple[Table | Picture, ...] = ()
    unfolded: int | None = None


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A number of the summary with its label; ``tone`` is good, bad or plain."""

    number: str
    label: str
    tone: str = "plain"


@dataclass(frozen=True, kw_only=True)
class Page:
    """The whole page of a report; ``warnings`` stand at its top."""

    title: str
    subtitle: str
    warnings: tuple[str, ...]
    findings: tuple[str, ...]
    tiles: tuple[Tile, ...]
    sections: Sequence[Section]
    footer: str


def render_page(page: Page) -> str:
    """Returns the page as HTML that asks nothing of the network; its only script sorts tables."""
    environment = Environment(
        loader=PackageLoader("aggregator.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["picture"] = lambda block: isinstance(block, Picture)
    colours = {"paper": PAPER, "figures": [css_variables(theme) for theme in (0, 1)]}
    script, css = (environment.get_template(n).render(colours) for n in ("sort.js.j2", "style.css.j2"))
    html: str = environment.get_template("report.html.j2").render(
        page=page,
        css=Markup(css),  # noqa: S704 (our own file, with our own colours filled in)
        script=Markup(script),  # noqa: S704 (our own file, too)
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        # matplotlib escapes the texts that it draws
        svg={b.name: Markup(b.svg) for s in page.sections for b in s.blocks if isinstance(b, Picture)},  # noqa: S704
    )
    return html
