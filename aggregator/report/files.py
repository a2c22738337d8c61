"""The files of a report: its page, and every table and figure of the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from aggregator.figures.style import Picture
from aggregator.reading.run import RunResults
from aggregator.report.formats import to_csv, to_latex, to_markdown
from aggregator.report.material import Material
from aggregator.report.page import Page, Section, Tile, render_page
from aggregator.report.sections import compose_sections
from aggregator.study import SINGLE, Study
from aggregator.suggest import NEXT_GRID, choose_steps, suggest_grid
from aggregator.tables import Table, best_treatment, tied_treatments
from experiment import results
from experiment.cell import ENSEMBLE
from experiment.ledger import DONE

FOOTER = (
    "Beside this page: tables/ (CSV, Markdown, LaTeX), figures/ (SVG, PNG) and results.parquet, all rows in one file. This "
    "page asks nothing of the network; its only script sorts tables."
)


def build_files(material: Material) -> Iterator[tuple[str, bytes]]:
    """Yields every file of the report as (path, bytes), ``index.html`` last, so that a report with a page is whole."""
    sections = compose_sections(material)
    for block in (b for s in sections for b in s.blocks):
        yield from _block_files(block)
    yield "results.parquet", _to_parquet(material.run.table)
    possible = choose_steps(material.steps, None)
    if possible:
        yield NEXT_GRID, _to_utf8(suggest_grid(material.run.run.grid.cells, possible))
    yield "index.html", _to_utf8(render_page(compose_page(material, sections)))


def _block_files(block: Table | Picture) -> Iterator[tuple[str, bytes]]:
    if isinstance(block, Picture):
        yield f"figures/{block.name}.svg", block.file_svg
        yield f"figures/{block.name}.png", block.png
        return
    for ending, convert in (("csv", to_csv), ("md", to_markdown), ("tex", to_latex)):
        yield f"tables/{block.name}.{ending}", _to_utf8(convert(block))


def _to_utf8(text: str) -> bytes:
    return text.encode(errors="backslashreplace")  # the name of a file may hold bytes that are no text


def _to_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table.cast(results.TABLES["epochs"]), sink, compression="zstd", write_page_checksum=True)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def compose_page(material: Material, sections: Sequence[Section]) -> Page:
    """Returns the page: the summary first, then the sections."""
    run = material.run
    count = Counter(s.state for s in run.states)
    total = len(run.states)
    return Page(
        title=f"Collaborative ensembles: {run.run.name}",
        subtitle=f"Grid {run.run.grid.name}, {total} cells. The store was read on {run.time:%Y-%m-%d at %H:%M} UTC.",
        warnings=tuple(_warnings(run, count)),
        findings=tuple(map(_finding, material.studies)),
        tiles=(
            Tile(number=f"{count[DONE]} / {total}", label="cells done", tone="bad" if run.undone else "good"),
            *_tiles(material),
        ),
        sections=sections,
        footer=FOOTER,
    )


def _tiles(material: Material) -> Iterator[Tile]:
    for study in material.studies:
        best = best_treatment(study)
        if best:
            error = 100 * float(study.final(best, ENSEMBLE).mean())
            label = f"lowest ensemble test error on {study.title}: {best.title}"
            yield Tile(number=f"{error:.2f} %", label=label)
    verdicts = Counter(c.verdict for c in material.claims)
    for verdict, n in verdicts.items():
        yield Tile(number=f"{n} of {len(material.claims)}", label=f"of the paper's claims {verdict}")


def _warnings(run: RunResults, count: Mapping[str, int]) -> Iterator[str]:
    if run.undone:
        rest = ", ".join(f"{n} {state}" for state, n in sorted(count.items()) if state != DONE)
        yield (
            f"This report is partial: {len(run.undone)} of {len(run.states)} cells have no result ({rest}). Every table and "
            "figure names what it lacks, and Cells gives the reason."
        )
    if run.problems:
        yield f"{len(run.problems)} objects of the store are not what they should be: see Cells."


def _finding(study: Study) -> str:
    best = best_treatment(study)
    if best is None:
        return f"{study.title}: no results yet."
    ties = len(tied_treatments(study)) - 1
    tied = f" ({ties} others are not shown to be worse)" if ties else ""
    words = f"{study.title}: the ensemble with the lowest test error is {best.title}{tied}"
    difference = None if best == SINGLE else study.compare((best, ENSEMBLE), (SINGLE, ENSEMBLE))
    if difference is None:
        return words + "."
    d = difference.scaled(100)
    low, high = d.interval
    sure = "being the lowest of several, it is overstated"
    return f"{words}, {d.effect:+.2f} percentage points from Single ({low:+.2f} to {high:+.2f}, {d.test}: {sure})."
