"""The report's page: its opening and sections, rendered as one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from aggregator.figures.palette import PAPER, css_variables
from aggregator.figures.picture import Picture
from aggregator.report.blocks import Card, Section
from aggregator.report.opening import Opening


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A number of the summary with its label; ``tone`` is good, bad or plain."""

    number: str
    label: str
    tone: str = "plain"


@dataclass(frozen=True, kw_only=True)
class Page:
    """The whole page of a report; ``warnings`` stand at its top, links to ``files`` at its end."""

    title: str
    subtitle: str
    warnings: tuple[str, ...]
    opening: Opening
    tiles: tuple[Tile, ...]
    sections: Sequence[Section]
    footer: str
    files: tuple[str, ...]


def render_page(page: Page) -> str:
    """Returns the page as HTML that asks nothing of the network; its only script sorts and copies tables, and opens what is folded for print."""
    environment = Environment(
        loader=PackageLoader("aggregator.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name, kind in (("picture", Picture), ("card", Card)):
        environment.tests[name] = lambda block, kind=kind: isinstance(block, kind)
    colours = {"paper": PAPER, "figures": [css_variables(theme) for theme in (0, 1)]}
    script, css = (environment.get_template(n).render(colours) for n in ("page.js.j2", "style.css.j2"))
    html: str = environment.get_template("report.html.j2").render(
        page=page,
        css=Markup(css),  # noqa: S704 (our own file, with our own colours filled in)
        script=Markup(script),  # noqa: S704 (our own file, too)
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        # matplotlib escapes the texts that it draws
        svg={b.name: Markup(b.svg) for s in page.sections for b in s.blocks if isinstance(b, Picture)},  # noqa: S704
    )
    return html
