"""The files of a report: its page, and every table and figure of the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from aggregator.figures.picture import Picture
from aggregator.reading.run import RunResults
from aggregator.report.blocks import Block, Card, Section
from aggregator.report.formats import to_csv, to_latex, to_markdown
from aggregator.report.material import Material
from aggregator.report.opening import Opening, compose_opening
from aggregator.report.page import Page, Tile, render_page
from aggregator.report.sections import compose_sections
from aggregator.suggest import NEXT_GRID, choose_steps, suggest_grid
from aggregator.tables import best_treatment, tied_treatments
from experiment import results
from experiment.ledger import DONE
from experiment.members import ENSEMBLE

FOOTER = (
    "Every table of this page is a file in CSV, Markdown and LaTeX, every figure in SVG and PNG. The page asks nothing of the "
    "network; its only script sorts and copies tables, and opens what is folded for print."
)
ROWS = "results.parquet"
MOST_TILES = 3  # studies whose lowest error is told at the top


def build_files(material: Material) -> Iterator[tuple[str, bytes]]:
    """Yields every file of the report as (path, bytes), ``index.html`` last, so that a report with a page is whole."""
    sections = compose_sections(material)
    opening = compose_opening(material)
    for block in (opening.effects, *(b for s in sections for b in s.blocks)):
        yield from _block_files(block)
    yield ROWS, _to_parquet(material.run.table)
    possible = choose_steps(material.steps, None)
    if possible:
        yield NEXT_GRID, _to_utf8(suggest_grid(material.run.run.grid.cells, possible))
    yield "index.html", _to_utf8(render_page(compose_page(material, opening, sections)))


def _block_files(block: Block | None) -> Iterator[tuple[str, bytes]]:
    if isinstance(block, Card):
        block = block.comparisons
    if block is None:
        return
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


def compose_page(material: Material, opening: Opening, sections: Sequence[Section]) -> Page:
    """Returns the page: the summary first, then the sections."""
    run = material.run
    count = Counter(s.state for s in run.states)
    total = len(run.states)
    return Page(
        title=f"Collaborative ensembles: {run.run.name}",
        subtitle=f"Grid {run.run.grid.name}, {total} cells. The store was read on {run.time:%Y-%m-%d at %H:%M} UTC.",
        warnings=tuple(_warnings(run, count)),
        opening=opening,
        tiles=(
            Tile(number=f"{count[DONE]} / {total}", label="cells done", tone="bad" if run.undone else "good"),
            *_tiles(material),
        ),
        sections=sections,
        footer=FOOTER,
        files=(ROWS, *([NEXT_GRID] if choose_steps(material.steps, None) else [])),
    )


def _tiles(material: Material) -> Iterator[Tile]:
    for study in material.studies[:MOST_TILES]:
        best = best_treatment(study)
        if best:
            error = 100 * float(study.final(best, ENSEMBLE).mean())
            ties = len(tied_treatments(study)) - 1
            tied = f" ({ties} others are not shown to be worse)" if ties else ""
            label = f"lowest ensemble test error on {study.title}: {best.title}{tied}"
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
