"""What sections of the page are made of: words, tables, pictures and the cards of claims."""

from __future__ import annotations

from dataclasses import dataclass

from aggregator.figures.picture import Picture
from aggregator.tables import Table


@dataclass(frozen=True, kw_only=True)
class Card:
    """A judged statement.

    Attributes:
        name: its anchor, and that of its files.
        title: its number and what it says in a few words.
        verdict: a few words.
        statement: what the paper says.
        facts: names and values that belong to the verdict.
        grid: how its comparisons came out, by data set and method; None where it compares nothing.
        words: how it is judged, and how its demands came out.
        comparisons: all of them; None if there are none.
    """

    name: str
    title: str
    verdict: str
    statement: str
    facts: tuple[tuple[str, str], ...]
    grid: Table | None
    words: tuple[str, ...]
    comparisons: Table | None


Block = Table | Picture | Card


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page.

    Attributes:
        anchor: the id that the contents link to.
        words: paragraphs before the blocks.
        unfolded: how many of the blocks are open; the rest are folded until a reader opens them. None: all.
    """

    anchor: str
    title: str
    words: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    unfolded: int | None = None
