"""The sections of the page, each made from its part of the material."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aggregator.effects import find_effects
from aggregator.entries import NOTHING, count_entry, text_entry
from aggregator.figures.curves import plot_methods, plot_treatment
from aggregator.figures.differences import plot_differences
from aggregator.figures.further import plot_agreement, plot_error_by_alpha, plot_generalisation_gap
from aggregator.figures.picture import Picture
from aggregator.figures.reliability import plot_reliability
from aggregator.reading.run import RunResults
from aggregator.report.blocks import Block, Section
from aggregator.report.budget import compare_budget
from aggregator.report.costs import cost_tables
from aggregator.report.inference import inference_tables
from aggregator.report.material import Material
from aggregator.report.opening import effect_row
from aggregator.report.provenance import provenance_section
from aggregator.report.published import comparison_table, unlike_published
from aggregator.report.questions import questions_section
from aggregator.report.settings import crowded_datasets, settings_section
from aggregator.report.trained import trained_section
from aggregator.report.verdicts import claims_section
from aggregator.study import COST, Study, Treatment
from aggregator.tables import Table, results_tables

CLOSE_LOOK = Treatment("l2", 0.01)  # the treatment whose curves the paper shows over all epochs


def compose_sections(m: Material) -> list[Section]:
    """Returns every section that the run has content for, in the page's order."""
    crowded = crowded_datasets(m.studies)
    sections = [
        claims_section(m.claims, m.steps, m.second_halves),
        questions_section(m.questions, m.question_steps),
        trained_section(m.run, m.studies),
        settings_section(m.studies),
        *(results_section(s, drawn=s.dataset not in crowded) for s in m.studies),
        paper_section(m.studies, m.own_files),
        further_section(m),
        data_section(m),
        cost_section(m),
        cells_section(m.run),
        provenance_section(m.run),
    ]
    return [s for s in sections if s.words or s.blocks]


def results_section(study: Study, *, drawn: bool = True) -> Section:
    """Returns a study's tables and (if ``drawn``) curves, those of the cost folded."""
    anchor, title = f"results-{study.slug}", f"Results: {study.title}"
    if not len(study.rows):
        return Section(anchor=anchor, title=title, words=("No cell of this data set has a result yet.",))
    errors, *costs = results_tables(study)
    blocks: list[Block] = [errors]
    if drawn and study.beside_single:
        blocks += [plot_differences(study), *(plot_methods(study, member) for member in study.members)]
    if drawn and CLOSE_LOOK in study.treatments:
        blocks.append(plot_treatment(study, CLOSE_LOOK))
    folded: list[Block] = [*costs]
    if study.beside_single:
        folded.append(differences_table(study))
        folded += [plot_methods(study, m, COST) for m in study.members if drawn]
    return Section(anchor=anchor, title=title, blocks=(*blocks, *folded), unfolded=len(blocks))


def differences_table(study: Study) -> Table:
    """Returns every difference from Single with its interval: what the figure of differences shows."""
    return Table(
        name=study.file_name("all-differences"),
        title=f"{study.title}: differences from Single",
        caption="Test error of each model minus that of the same model of Single, in percentage points.",
        columns=("model", "difference (pp)", "95 % interval"),
        rows=tuple(map(effect_row, find_effects([study]))),
    )


def paper_section(studies: Sequence[Study], own_files: Mapping[str, Sequence[str]]) -> Section:
    """Returns our numbers beside the published ones, and why others do not stand there.

    Args:
        own_files: by data set, the files of the user's own that its images come from.
    """
    with_rows = [s for s in studies if len(s.rows)]
    unlike: dict[str, list[str]] = {}
    for study in with_rows:
        unlike.setdefault(", ".join(unlike_published(study)), []).append(study.title)
    published = unlike.pop("", [])
    alike = [s for s in with_rows if s.title in published]
    words = [f"{'; '.join(titles)}: not set beside the paper, because of {found}." for found, titles in unlike.items()]
    words += [
        f"{s.title} is not set beside the paper: its images come from {', '.join(own_files[s.dataset])}, which need not "
        "hold what was published (copies as JPEG, another split)."
        for s in alike
        if s.dataset in own_files
    ]
    tables = tuple(comparison_table(s) for s in alike if s.dataset not in own_files)
    return Section(anchor="paper", title="Beside the paper", words=tuple(words), blocks=tables, unfolded=0)


def further_section(m: Material) -> Section:
    """Returns the figures that the paper does not have."""
    blocks: list[Picture | None] = []
    done = {c.id for c in m.run.done}
    crowded = crowded_datasets(m.studies)
    with_rows = [s for s in m.studies if len(s.rows) and s.dataset not in crowded]
    for study in with_rows:
        blocks.append(plot_error_by_alpha(study) if study.beside_single else None)
        blocks.append(plot_generalisation_gap(study))
        blocks.append(plot_reliability(study, [c for c in study.cells if c.id in done], m.predictions))
    blocks.append(plot_agreement(with_rows))
    return Section(anchor="closer", title="A closer look", blocks=tuple(b for b in blocks if b is not None))


def data_section(m: Material) -> Section:
    """Returns the pictures of the data sets, and the remarks."""
    return Section(anchor="data", title="The data", words=tuple(m.remarks), blocks=tuple(m.pictures))


def cost_section(m: Material) -> Section:
    """Returns hours and dollars, on a cluster what was forecast of them, and what inference takes."""
    tables = cost_tables(m.run, m.studies, m.prices)
    words = list[str]()
    if tables and not m.prices:
        words.append(
            "No price is known, so no dollars are shown: give --price USD per device-hour, or set PRICE_PER_HOUR."
        )
    inference = inference_tables(m.studies, m.run.provenance)
    if tables and not inference:
        words.append("What inference takes was not measured: these cells were trained before the suite did that.")
    blocks = (*compare_budget(m.budget), *tables, *inference)
    return Section(anchor="cost", title="Cost", words=tuple(words), blocks=blocks)


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
