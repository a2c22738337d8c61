"""Tables in each format; LaTeX is compiled."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess

import pytest

from aggregator.entries import Entry, treatment_entry
from aggregator.report.formats import to_csv, to_latex, to_markdown
from aggregator.study import Treatment
from aggregator.tables import Table, results_tables

WORDS = [
    "a_b & 50% #1 {x} ~^$ \\input{/etc/passwd}",
    "=1+1",
    "<b>|</b>",
    "± ≈ – ≤ × é \u4e2d",
    '"q"',
    "+x",
    "@y",
    "\tz",
    "-1",
]


def table(words):
    rows = tuple((Entry(text=w), Entry(text="0.50", value=0.5, best=i == 0, equal=i == 1)) for i, w in enumerate(words))
    return Table(name="t", title=words[0], caption=words[-1], columns=("what_%", "n"), rows=rows)


def test_csv_keeps_numbers_whole_and_disarms_formulas():
    rows = list(csv.reader(io.StringIO(to_csv(table(WORDS)))))

    assert [r[0] for r in rows[1:]] == [f"'{w}" if w[0] in "=+-@\t" else w for w in WORDS]
    assert {r[1] for r in rows[1:]} == {"0.5"}
    negative = Table(name="t", title="", caption="", columns=("d",), rows=((Entry(text="-0.10", value=-0.1),),))
    assert to_csv(negative) == "d\n-0.1\n", "a negative number is a number, no formula"


def test_csv_has_numbers_as_numbers_and_intervals_in_two_columns():
    rows = (
        (Entry(text="5", value=5), Entry(text="0.59 ± 0.1", value=100 * 0.0059, bounds=(0.49, 0.69)), Entry(text="–")),
        (Entry(text="1", value=1), Entry(text="–", absent=True), Entry(text="-1 to 2", bounds=(-1.0, 2.0))),
    )
    made = to_csv(Table(name="t", title="", caption="", columns=("n", "error", "interval"), rows=rows))

    assert made.splitlines() == [
        "n,error,error: low,error: high,interval: low,interval: high",
        "5,0.59,0.49,0.69,,",
        "1,,,,-1,2",
    ]


def test_csv_has_marks_and_what_a_text_names_in_columns_of_their_own():
    names = [treatment_entry(Treatment("l2", 0.1)), treatment_entry(Treatment("single", 0.0)), Entry(text="all")]
    marks = [Entry(text="2", value=2, best=True), Entry(text="2.1", value=2.1, equal=True), Entry(text="9", value=9)]
    made = to_csv(
        Table(name="t", title="", caption="", columns=("method, alpha", "ST"), rows=(*zip(names, marks, strict=True),))
    )

    assert made.splitlines() == ["method,alpha,ST,ST: mark", "l2,0.1,2,best", "single,0,2.1,equal", ",,9,"]
    assert "L2 0.1" in to_markdown(table(["L2 0.1"]))


def test_an_absent_number_is_an_empty_field():
    empty = Table(
        name="t", title="", caption="", columns=("a", "b"), rows=((Entry(text="x"), Entry(text="–", absent=True)),)
    )

    assert to_csv(empty) == "a,b\nx,\n"


def test_markdown_has_no_raw_html_and_as_many_columns_in_each_row():
    lines = [x for x in to_markdown(table(WORDS)).splitlines() if x.startswith("|")]

    assert {x.replace(r"\|", "").count("|") for x in lines} == {3}
    assert "<b>" not in to_markdown(table(WORDS))
    assert lines[2].endswith("| **0.50** |")
    assert lines[3].endswith("| 0.50 ≈ |")


def test_the_tables_of_a_run_and_hostile_ones_compile_in_latex(store, gather, tmp_path):
    if not shutil.which("pdflatex"):
        pytest.skip(
            "LOUD: no pdflatex here (Debian: texlive-latex-base texlive-latex-recommended): LaTeX tables are not compiled"
        )
    tables = [*results_tables(gather(store).studies[0]), table(WORDS)]
    body = "\n".join(to_latex(t) for t in tables)
    source = (
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs}\\begin{document}\n"
        + body
        + "\\end{document}\n"
    )
    (tmp_path / "t.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    options = {"capture_output": True, "text": True, "errors": "replace", "timeout": 100, "check": False}
    done = subprocess.run(command, cwd=tmp_path, **options)

    assert done.returncode == 0, done.stdout[-2000:]
    assert "passwd" not in done.stdout
    assert (tmp_path / "t.pdf").stat().st_size > 10_000
