"""The sections of the page, each made from its part of the material."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aggregator.claims import Claim
from aggregator.claims.verdict import Part
from aggregator.figures.curves import plot_methods, plot_treatment
from aggregator.figures.further import plot_agreement, plot_error_by_alpha, plot_generalisation_gap
from aggregator.figures.reliability import plot_reliability
from aggregator.figures.style import Picture
from aggregator.reading.run import RunResults
from aggregator.report.costs import cost_tables
from aggregator.report.material import Material
from aggregator.report.page import Section
from aggregator.report.provenance import provenance_section
from aggregator.report.published import comparison_tables, trains_as_published
from aggregator.study import Study, Treatment
from aggregator.tables import NOTHING, Entry, Table, count_entry, number_entry, results_tables, text_entry

CLOSE_LOOK = Treatment("l2", 0.01)  # the treatment whose curves the paper shows over all epochs
JUDGING = (
    "Each statement is made testable by a rule fixed before looking, and answered by comparisons: paired over seeds; of one "
    "run, paired over test examples (McNemar) where predictions were kept, else as independent binomials, which takes "
    "differences for less sure than they are. Undecided means that these results cannot tell, not that the statement is wrong."
)


def compose_sections(m: Material) -> list[Section]:
    """Returns every section that the run has content for, in the page's order."""
    sections = [
        *(results_section(s) for s in m.studies),
        claims_section(m.claims),
        paper_section(m.studies),
        further_section(m),
        data_section(m),
        cost_section(m),
        cells_section(m.run),
        provenance_section(m.run),
    ]
    return [s for s in sections if s.words or s.blocks]


def results_section(study: Study) -> Section:
    """Returns a study's tables and curves."""
    anchor, title = f"results-{study.slug}", f"Results: {study.title}"
    if not len(study.rows):
        return Section(anchor=anchor, title=title, words=("No cell of this data set has a result yet.",))
    blocks: list[Table | Picture] = [*results_tables(study)]
    if study.collaborative():
        blocks += [plot_methods(study, member) for member in study.members]
    if CLOSE_LOOK in study.treatments:
        blocks.append(plot_treatment(study, CLOSE_LOOK))
    return Section(anchor=anchor, title=title, blocks=tuple(blocks))


def claims_section(claims: Sequence[Claim]) -> Section:
    """Returns the verdicts on the paper's claims, with the comparisons behind them."""
    rows = [tuple(map(text_entry, (c.name, c.verdict, c.statement, c.rule, c.why))) for c in claims]
    summary = Table(
        name="claims",
        title="The eleven statements of section 6.1",
        caption="Yes: shown at 5 % after Holm's correction over the comparisons of that statement. No: the opposite is "
        "shown. Open: the data cannot tell.",
        columns=("claim", "verdict", "the paper says", "tested as", "comparisons"),
        rows=tuple(rows),
    )
    blocks = (summary, *(_comparisons(c) for c in claims if c.parts))
    return Section(anchor="claims", title="What can be claimed", words=(JUDGING,), blocks=blocks, unfolded=1)


def _comparisons(claim: Claim) -> Table:
    return Table(
        name=f"claim-{claim.name.lower()}",
        title=f"Comparisons behind claim {claim.name}: {claim.verdict}",
        caption=claim.rule,
        columns=("holds if", "answer", "difference (pp)", "95 % interval", "must be below", "p (Holm)", "test", "n"),
        rows=tuple(map(_comparison_row, claim.parts)),
    )


def _comparison_row(part: Part) -> tuple[Entry, ...]:
    d = part.difference
    low, high = d.interval if d else (math.nan, math.nan)
    return (
        text_entry(part.says),
        text_entry(part.answer),
        number_entry(d.effect if d else math.nan, "+.3f"),
        text_entry(f"{low:+.3f} to {high:+.3f}" if math.isfinite(low) else NOTHING),
        number_entry(part.bound, ".2f"),
        number_entry(part.adjusted, ".3g"),
        text_entry(d.test if d else "no results"),
        count_entry(d.n if d else 0),
    )


def paper_section(studies: Sequence[Study]) -> Section:
    """Returns our numbers beside the published ones."""
    others = [s.title for s in studies if not trains_as_published(s) and len(s.rows)]
    words = (f"The paper has no numbers for {', '.join(others)} as trained here.",) if others else ()
    tables = tuple(comparison_tables(studies))
    return Section(anchor="paper", title="Beside the paper", words=words, blocks=tables, unfolded=0)


def further_section(m: Material) -> Section:
    """Returns the figures that the paper does not have."""
    blocks: list[Picture | None] = []
    done = {c.id for c in m.run.done}
    with_rows = [s for s in m.studies if len(s.rows)]
    for study in with_rows:
        blocks.append(plot_error_by_alpha(study) if study.collaborative() else None)
        blocks.append(plot_generalisation_gap(study))
        blocks.append(plot_reliability(study, [c for c in study.cells if c.id in done], m.predictions))
    blocks.append(plot_agreement(with_rows))
    return Section(anchor="closer", title="A closer look", blocks=tuple(b for b in blocks if b is not None))


def data_section(m: Material) -> Section:
    """Returns the pictures of the data sets, and the remarks."""
    return Section(anchor="data", title="The data", words=tuple(m.remarks), blocks=tuple(m.pictures))


def cost_section(m: Material) -> Section:
    """Returns hours and dollars."""
    tables = cost_tables(m.run, m.studies, m.prices)
    words: tuple[str, ...] = ()
    if tables and not m.prices:
        words = (
            "No price is known, so no dollars are shown: give --price USD per device-hour, or set PRICE_PER_HOUR.",
        )
    return Section(anchor="cost", title="Cost", words=words, blocks=tuple(tables))


def cells_section(run: RunResults) -> Section:
    """Returns the cells without a result and the objects of the store that are not as they should be, with reasons."""
    words, blocks = [], []
    if run.undone:
        words.append("Every cell without a result, with the reason. Launching the same run again trains only these.")
        blocks.append(_undone_table(run))
    if run.problems:
        blocks.append(_problems_table(run))
    if not blocks:
        words.append(f"All {len(run.states):,} cells are done, and every file is whole.")
    return Section(anchor="cells", title="Cells", words=tuple(words), blocks=tuple(blocks))


def _undone_table(run: RunResults) -> Table:
    rows = [(*map(text_entry, (s.cell.id, s.state, s.reason)), count_entry(s.attempts)) for s in run.undone]
    return Table(
        name="missing",
        title="Cells without a result",
        caption="Failures: the attempts that left a record.",
        columns=("cell", "state", "reason", "failures"),
        rows=tuple(rows),
    )


def _problems_table(run: RunResults) -> Table:
    rows = [tuple(map(text_entry, (p.key, p.cell or NOTHING, p.reason))) for p in run.problems]
    return Table(
        name="problems",
        title="Objects of the store that are not what they should be",
        caption="What cannot be read is not used.",
        columns=("object", "cell", "what is wrong"),
        rows=tuple(rows),
    )
