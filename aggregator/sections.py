"""The sections of the page, each from its part of the results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aggregator import beside, costs
from aggregator.claims import Claim
from aggregator.figures import curves, own, reliability
from aggregator.figures.style import Picture
from aggregator.page import Section
from aggregator.predictions import Predictions
from aggregator.provenance import made_with
from aggregator.run import RunResults
from aggregator.study import Study, Weight
from aggregator.tables import NOTHING, Entry, Table, number, results_tables, text
from experiment.cell import Cell

METHOD = (
    "Each statement is made testable by a rule fixed before looking, and answered by comparisons: paired over seeds; of one "
    "run, paired over test examples (McNemar) where predictions were kept, else as independent binomials, which takes "
    "differences for less sure than they are. Undecided means that these results cannot tell, not that the statement is wrong."
)


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that a report is made from.

    Attributes:
        prices: dollars per hour by part of a device's name.
        pictures: of the data sets.
        remarks: what could not be had, and why.
    """

    run: RunResults
    studies: Sequence[Study]
    verdicts: Sequence[Claim]
    cells: Mapping[str, Sequence[Cell]] = field(default_factory=dict)
    predictions: Mapping[str, Predictions] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    pictures: Sequence[Picture] = ()
    remarks: Sequence[str] = ()


def all_sections(m: Material) -> list[Section]:
    """Every section that the run has matter for, in the page's order."""
    parts = [
        *(results(s) for s in m.studies),
        judged(m.verdicts),
        against_the_paper(m.studies),
        ours(m),
        data(m),
        cost(m),
        cells(m.run),
        made_with(m.run),
    ]
    return [p for p in parts if p.words or p.blocks]


def results(study: Study) -> Section:
    """A data set's tables and curves."""
    if not len(study.rows):
        words: tuple[str, ...] = ("No cell of this data set has a result yet.",)
        return Section(anchor=f"results-{study.slug}", title=f"Results: {study.title}", words=words)
    blocks: list[Table | Picture] = [*results_tables(study)]
    if study.collaborative():
        blocks += [curves.methods(study, member) for member in study.members]
    blocks += [curves.detail(study, w) for w in detailed(study)]
    return Section(anchor=f"results-{study.slug}", title=f"Results: {study.title}", blocks=tuple(blocks))


def detailed(study: Study) -> list[Weight]:
    """The weight that the paper looks at closely: L2 0.01, if the grid has it."""
    return [w for w in (Weight("l2", 0.01),) if w in study.weights]


def judged(verdicts: Sequence[Claim]) -> Section:
    """What the results say to the paper's claims."""
    rows = [(text(c.name), text(c.verdict), text(c.statement), text(c.rule), text(c.why)) for c in verdicts]
    summary = Table(name="claims", title="The eleven statements of section 6.1", caption="Yes: shown at 5 % after Holm's correction over the "
                    "comparisons of that statement. No: the opposite is shown. Open: the data cannot tell.",
                    columns=("claim", "verdict", "the paper says", "tested as", "comparisons"), rows=tuple(rows))  # fmt: skip
    comparisons = [_comparisons(c) for c in verdicts if c.parts]
    words = (METHOD,)
    return Section(
        anchor="claims", title="What can be claimed", words=words, blocks=(summary, *comparisons), unfolded=1
    )


def _comparisons(claim: Claim) -> Table:
    rows = []
    for p in claim.parts:
        d = p.difference
        low, high = d.interval if d else (math.nan, math.nan)
        rows.append((text(p.says), text(p.answer), number(d.effect if d else math.nan, "+.3f"),
                     text(f"{low:+.3f} to {high:+.3f}" if math.isfinite(low) else NOTHING), number(p.bound, ".2f"),
                     number(p.adjusted, ".3g"), text(d.test if d else "no results"), Entry(text=str(d.n if d else 0), value=d.n if d else 0)))  # fmt: skip
    return Table(name=f"claim-{claim.name.lower()}", title=f"Comparisons behind claim {claim.name}: {claim.verdict}", caption=claim.rule,
                 columns=("holds if", "answer", "difference (pp)", "95 % interval", "must be below", "p (Holm)", "test", "n"), rows=tuple(rows))  # fmt: skip


def against_the_paper(studies: Sequence[Study]) -> Section:
    """Our numbers beside the published."""
    tables = beside.tables(studies)
    others = [s.title for s in studies if not beside.comparable(s) and len(s.rows)]
    words = (f"The paper has no numbers for {', '.join(others)} as trained here.",) if others else ()
    return Section(anchor="paper", title="Beside the paper", words=words, blocks=tuple(tables), unfolded=0)


def ours(m: Material) -> Section:
    """Figures that the paper does not have."""
    blocks: list[Picture | None] = []
    for s in (s for s in m.studies if len(s.rows)):
        blocks += [own.against_alpha(s) if s.collaborative() else None, own.gap(s)]
        blocks += [reliability.diagram(s, m.cells.get(s.slug, ()), m.predictions)]
    if blocks:
        blocks.append(own.agreement([s for s in m.studies if len(s.rows)]))
    return Section(anchor="closer", title="A closer look", blocks=tuple(b for b in blocks if b is not None))


def data(m: Material) -> Section:
    """The data sets, looked at."""
    return Section(anchor="data", title="The data", words=tuple(m.remarks), blocks=tuple(m.pictures))


def cost(m: Material) -> Section:
    """Hours and dollars."""
    tables = costs.tables(m.run, m.studies, m.prices)
    words = () if m.prices or not tables else (
        "No price is known, so no dollars are shown: give --price USD per device-hour, or set PRICE_PER_HOUR.",
    )  # fmt: skip
    return Section(anchor="cost", title="Cost", words=words, blocks=tuple(tables))


def cells(run: RunResults) -> Section:
    """What became of every cell, and what in the store is not as it should be."""
    words, blocks = [], []
    if run.undone:
        words.append("Every cell without a result, with the reason. Launching the same run again trains only these.")
        rows = [
            (text(s.cell.id), text(s.state), text(s.reason), Entry(text=str(s.attempts), value=s.attempts))
            for s in run.undone
        ]
        blocks.append(Table(name="missing", title="Cells without a result", caption="Failures: the attempts that left a record.",
                            columns=("cell", "state", "reason", "failures"), rows=tuple(rows)))  # fmt: skip
    if run.problems:
        named = [(text(p.key), text(p.cell or NOTHING), text(p.reason)) for p in run.problems]
        blocks.append(Table(name="problems", title="Objects of the store that are not what they should be",
                            caption="Named here; not used where they cannot be read.", columns=("object", "cell", "what is wrong"), rows=tuple(named)))  # fmt: skip
    if not blocks:
        words.append(f"All {len(run.states):,} cells are done, and every file is whole.")
    return Section(anchor="cells", title="Cells", words=tuple(words), blocks=tuple(blocks))
