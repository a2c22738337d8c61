"""The files of a report, whatever the run is like."""

from __future__ import annotations

import re
import time

from aggregator.claims import judge_claims
from aggregator.report.files import build_files
from experiment import keys, records, results
from experiment.grid import load_grid
from experiment.store import LocalStore
from tests.aggregator import factories
from tests.aggregator.report_of import text_files

MOST_CPU = 15  # seconds of this process: 2 to 4 where nothing else runs
HOSTILE = '=HYPERLINK("http://x","y") <script>alert(1)</script> \\input{/etc/passwd} | a_b & 50% #1 {x} ~^$\u202e'


def test_hostile_words_are_harmless_in_every_format(store, gather, cells):
    store.delete(keys.epochs(cells[0]))
    fail = records.Failure(
        cell=cells[0].id, attempt="a", kind="error", exit_code=1, message=HOSTILE, time="2026-01-01T00:00:00+00:00"
    )
    store.put(keys.failure(cells[0].id, "a"), records.to_bytes(fail))
    facts = factories.made_provenance(device=HOSTILE)
    data = results.to_bytes(results.to_table("epochs", factories.epoch_columns(cells[1]), facts))
    store.put(keys.epochs(cells[1]), data)
    report_files = text_files(gather(store))

    assert "<script>alert" not in "".join(d for p, d in report_files.items() if p.endswith((".html", ".md", ".svg")))
    assert 'failed,"error: =HYPERLINK' in report_files["tables/missing.csv"], "no formula: it begins with a word"
    assert "\"'=HYPERLINK" in report_files["tables/cost-by-device.csv"]
    assert r"\textbackslash{}input\{/etc/passwd\}" in report_files["tables/missing.tex"]
    assert r"\| a\_b &amp; 50% #1" in report_files["tables/missing.md"]


def test_a_partial_report_counts_its_cells_by_state(store, gather, cells):
    store.put(keys.epochs(cells[3]), b"PAR1")
    store.delete(keys.epochs(cells[0]))
    store.delete(keys.epochs(cells[1]))
    time = "2026-01-01T00:00:00+00:00"
    fail = records.Failure(cell=cells[0].id, attempt="a", kind="diverged", exit_code=43, message="why", time=time)
    store.put(keys.failure(cells[0].id, "a"), records.to_bytes(fail))
    files = text_files(gather(store))

    states = "1 failed, 1 missing, 1 unreadable"
    assert f"This report is partial: 3 of 13 cells have no result ({states})" in files["index.html"]
    assert f"{cells[0].id},failed,diverged: why (exit code 43),1" in files["tables/missing.csv"]


def test_a_run_without_any_result_still_gives_a_report(tmp_path, gather):

    store = LocalStore(tmp_path / "s", create=True)
    factories.freeze_run(store, load_grid("demo"))
    page = text_files(gather(store))["index.html"]

    assert "This report is partial: 13 of 13 cells have no result (13 missing)" in page
    assert all(c.id in page for c in load_grid("demo").cells)


def test_the_page_is_the_summary_first_with_contents_that_lead_to_sections(made_report):
    text = made_report[1]["index.html"].decode()
    anchors = re.findall(r'<li><a href="#([^"]+)"', text[text.index("<nav") :])

    assert text.index('class="tiles"') < text.index('class="verdicts"') < text.index("<nav") < text.index("<section")
    assert anchors == re.findall(r'<section id="([^"]+)"', text)
    assert {"claims", "closer", "data", "cost", "cells", "provenance"} <= set(anchors)
    assert "All 13 cells are done, and every file is whole." in text


def test_the_same_run_gives_the_same_bytes(made_report):
    material, files = made_report
    start = time.process_time()

    assert dict(build_files(material)) == files
    assert time.process_time() - start < MOST_CPU, "python -m benchmarks.report_cpu shows where a machine stands"


def test_every_table_and_figure_is_a_file_too(made_report):
    material, files = made_report
    text = files["index.html"].decode()

    assert sum(p.startswith("figures/") for p in files) == 2 * text.count("<figure>")
    assert {p.rsplit(".", 1)[1] for p in files if p.startswith("tables/")} == {"csv", "md", "tex"}
    assert list(files)[-1] == "index.html"
    assert len(judge_claims(material.studies)) == 11
    assert files["tables/claims.csv"].count(b"undecided") >= 3


def test_no_two_tables_or_figures_share_a_name(made_report):
    names = [p for p, _ in build_files(made_report[0])]
    headings = re.findall(r'<(?:h3|details|article|section)[^>]* id="([^"]+)"', made_report[1]["index.html"].decode())

    assert len(set(names)) == len(names)
    assert len(set(headings)) == len(headings)
