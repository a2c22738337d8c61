"""Tables in each format; LaTeX is compiled."""

import csv
import io
import shutil
import subprocess

import pytest

from aggregator.formats import to_csv, to_latex, to_markdown
from aggregator.tables import Entry, Table, results_tables
from tests.aggregator import made

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


def test_the_tables_of_a_run_and_hostile_ones_compile_in_latex(store, read, tmp_path):
    if not shutil.which("pdflatex"):
        pytest.skip(
            "LOUD: no pdflatex here (Debian: texlive-latex-base texlive-latex-recommended): LaTeX tables are not compiled"
        )
    tables = [*results_tables(read(store).studies[0]), table(WORDS)]
    body = "\n".join(to_latex(t) for t in tables)
    source = (
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs}\\begin{document}\n"
        + body
        + "\\end{document}\n"
    )
    (tmp_path / "t.tex").write_text(source, encoding="utf-8")
    done = subprocess.run(["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
                          cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=100, check=False)  # fmt: skip

    assert done.returncode == 0, done.stdout[-2000:]
    assert "passwd" not in done.stdout
    assert (tmp_path / "t.pdf").stat().st_size > 10_000


def test_several_seeds_are_mean_interval_and_count(tmp_path, read):
    from experiment.grid import load_grid

    def error(cell, model):
        return made.flat(cell, model) + 0.01 * cell.seed + 0.2 * (cell.alpha == 1)

    cells = [c for c in load_grid("demo").with_seeds(3).cells if c.method in ("single", "l1")]
    store = made.committed(tmp_path / "s", cells=cells, error=error)
    store.delete(next(k for k in store.list("results/") if "l1-0p1-s2" in k and k.endswith("epochs.parquet")))
    found = results_tables(read(store).studies[0])[0]
    rows = {row[0].text: row for row in found.rows}

    assert found.columns == ("method, alpha", "ST", "M", "Ens", "seeds")
    assert rows["Single"][3].text == "6.02 ± 2.42"  # 18, 21.6 -> 22 and 25.2 -> 25 wrong of 360; t(2) = 4.303
    assert rows["Single"][4].text == "3 of 3"
    assert rows["L1 0.1"][4].text == "2 of 3"
    assert not rows["L1 1.0"][3].best
