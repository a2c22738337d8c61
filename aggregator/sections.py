"""The sections of the page, each from its part of the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aggregator.figures import curves
from aggregator.figures.style import Picture
from aggregator.page import Section, Tile
from aggregator.run import Run
from aggregator.study import Study, Weight
from aggregator.tables import Entry, Table, results_tables, text

LISTED = 200  # cells and problems on the page; the files beside it list all


def all_sections(
    run: Run, studies: Sequence[Study], prices: Mapping[str, float], pictures: Sequence[Picture], notes: Sequence[str]
) -> list[Section]:
    """Every section that the run has matter for, in the page's order."""
    parts = [results(s) for s in studies]
    parts.append(cells(run))
    return parts


def verdict_tiles(parts: Sequence[Section]) -> list[Tile]:
    """The claims' verdicts, counted."""
    return []


def results(study: Study) -> Section:
    """A data set's tables and curves."""
    blocks: list[Table | Picture] = [*results_tables(study)]
    if len(study.rows):
        blocks += [curves.methods(study, member) for member in study.members if study.collaborative()]
        blocks += [curves.detail(study, w) for w in detailed(study)]
    return Section(anchor=f"results-{study.slug}", title=f"Results: {study.title}", blocks=tuple(blocks))


def detailed(study: Study) -> list[Weight]:
    """The weight that the paper looks at closely: L2 0.01, if the grid has it."""
    return [w for w in (Weight("l2", 0.01),) if w in study.weights]


def cells(run: Run) -> Section:
    """What became of every cell, and what in the store is not as it should be."""
    words = []
    blocks = []
    if run.undone:
        words.append(
            "Every cell without a result, with the reason. `python -m k8s.launch` on the same run trains only these."
        )
        rows = [
            (text(s.cell.id), text(s.state), text(s.reason), Entry(text=str(s.attempts), value=s.attempts))
            for s in run.undone
        ]
        blocks.append(Table(name="missing", title="Cells without a result", caption="Failures counts the attempts that left a record.",
                            columns=("cell", "state", "reason", "failures"), rows=tuple(rows)))  # fmt: skip
    if run.problems:
        rows_p = [(text(p.key), text(p.cell or "–"), text(p.reason)) for p in run.problems]
        blocks.append(Table(name="problems", title="Objects of the store that are not what they should be", caption="Named, not used where they cannot be.",
                            columns=("object", "cell", "what is wrong"), rows=tuple(rows_p)))  # fmt: skip
    if not blocks:
        words.append(f"All {len(run.states)} cells are done, and every file is whole.")
    return Section(anchor="cells", title="Cells", words=tuple(words), blocks=tuple(blocks))
