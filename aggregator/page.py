"""The report's page: sections of words, tables and pictures, made one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from aggregator.figures.style import Picture
from aggregator.tables import Table


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page.

    Attributes:
        anchor: its id, for the contents.
        words: paragraphs before its tables and pictures.
        unfolded: how many of its blocks are open; the rest are folded away until asked for. None: all.
    """

    anchor: str
    title: str
    words: tuple[str, ...] = ()
    blocks: tuple[Table | Picture, ...] = ()
    unfolded: int | None = None


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A number of the summary, what it is, and how it is meant: good, bad or plain."""

    number: str
    label: str
    tone: str = "plain"


@dataclass(frozen=True, kw_only=True)
class Page:
    """All of the report's page. ``warnings`` stand at its top."""

    title: str
    subtitle: str
    warnings: tuple[str, ...]
    findings: tuple[str, ...]
    tiles: tuple[Tile, ...]
    sections: Sequence[Section]
    footer: str


def render(page: Page) -> str:
    """The page as HTML that asks nothing of the network and runs nothing but its own sorting of tables."""
    environment = Environment(
        loader=PackageLoader("aggregator"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["picture"] = lambda block: isinstance(block, Picture)
    script, css = (environment.get_template(n).render() for n in ("sort.js.j2", "style.css.j2"))
    html: str = environment.get_template("report.html.j2").render(
        page=page,
        css=Markup(css),  # noqa: S704 (our own file, with nothing filled in)
        script=Markup(script),  # noqa: S704 (as above)
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        # matplotlib escapes the texts that it draws
        svg={b.name: Markup(b.svg) for s in page.sections for b in s.blocks if isinstance(b, Picture)},  # noqa: S704
    )
    return html
