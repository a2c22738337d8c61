"""What the report says: from a run, the sections of its page and the files beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from aggregator.cells import DONE
from aggregator.figures.style import Picture
from aggregator.formats import to_csv, to_latex, to_markdown
from aggregator.page import Page, Section, Tile, render
from aggregator.run import RunResults
from aggregator.sections import Material, all_sections
from aggregator.study import ERROR, SINGLE, Study
from aggregator.tables import Table, best_of
from experiment import results
from experiment.cell import ENSEMBLE


def build(material: Material) -> Iterator[tuple[str, bytes]]:
    """Every file of the report, (path, bytes); ``index.html`` last, so that who sees it finds what it stands for."""
    parts = all_sections(material)
    for block in (b for s in parts for b in s.blocks):
        yield from _files(block)
    yield "results.parquet", _parquet(material.run.table)
    yield "index.html", render(page(material, parts)).encode()


def _files(block: Table | Picture) -> Iterator[tuple[str, bytes]]:
    if isinstance(block, Picture):
        yield f"figures/{block.name}.svg", block.file_svg
        yield f"figures/{block.name}.png", block.png
        return
    for ending, form in (("csv", to_csv), ("md", to_markdown), ("tex", to_latex)):
        yield f"tables/{block.name}.{ending}", form(block).encode()


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table.cast(results.TABLES["epochs"]), sink, compression="zstd", write_page_checksum=True)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def page(material: Material, parts: Sequence[Section]) -> Page:
    """The page: summary first, then the sections."""
    run, studies = material.run, material.studies
    count = Counter(s.state for s in run.states)
    total, undone = len(run.states), len(run.undone)
    tiles = [Tile(number=f"{count[DONE]} / {total}", label="cells done", tone="bad" if undone else "good")]
    for study in studies:
        best = best_of(study)
        if best:
            error = 100 * float(study.final(best, ENSEMBLE).mean())
            tiles.append(
                Tile(number=f"{error:.2f} %", label=f"lowest ensemble test error on {study.title}: {best.title}")
            )
    verdicts = Counter(c.verdict for c in material.verdicts)
    tiles += [
        Tile(number=f"{n} of {len(material.verdicts)}", label=f"of the paper's claims {v}") for v, n in verdicts.items()
    ]
    return Page(
        title=f"Collaborative ensembles: {run.run.name}",
        subtitle=f"Grid {run.run.grid.name}, {total} cells. The store was read on {run.time:%Y-%m-%d at %H:%M} UTC.",
        warnings=tuple(_warnings(run, count)),
        findings=tuple(_findings(studies)),
        tiles=tuple(tiles),
        sections=parts,
        footer="Beside this page: tables/ (CSV, Markdown, LaTeX), figures/ (SVG, PNG) and results.parquet, all rows in one "
        "file. This page asks nothing of the network; its only script sorts tables.",
    )


def _warnings(run: RunResults, count: Mapping[str, int]) -> Iterator[str]:
    if run.undone:
        rest = ", ".join(f"{n} {state}" for state, n in sorted(count.items()) if state != DONE)
        yield (
            f"This report is partial: {len(run.undone)} of {len(run.states)} cells have no result ({rest}). What is missing "
            "is named in every table and figure, and with its reason under Cells."
        )
    if run.problems:
        yield f"{len(run.problems)} objects of the store are not what they should be: see Cells."


def _findings(studies: Sequence[Study]) -> Iterator[str]:
    for study in studies:
        best = best_of(study)
        if best is None:
            yield f"{study.title}: no results yet."
            continue
        words = f"{study.title}: the ensemble with the lowest test error is {best.title}"
        difference = None if best == SINGLE else study.compare((best, ENSEMBLE), (SINGLE, ENSEMBLE), ERROR)
        if difference is None:
            yield words + "."
            continue
        d = difference.scaled(100)
        low, high = d.interval
        sure = (
            "a difference that this many comparisons can produce by chance" if low < 0 < high else "before correction"
        )
        yield f"{words}, {d.effect:+.2f} percentage points from Single ({low:+.2f} to {high:+.2f}, {d.test}: {sure})."
