"""Tables as CSV, Markdown and LaTeX; their texts are made harmless to spreadsheets, browsers and TeX."""

from __future__ import annotations

import csv
import html
import io
import re

from aggregator.tables import Entry, Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': "''",
    "±": r"$\pm$",
    "≈": r"$\approx$",
    "≤": r"$\le$",
    "×": r"$\times$",
    "−": "$-$",
    "–": "--",
}


def to_csv(table: Table) -> str:
    """Returns one line per row, numbers in full; an apostrophe precedes texts that a spreadsheet would run as formulas."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(map(_csv_text, table.columns))
    writer.writerows([_csv_field(e) for e in row] for row in table.rows)
    return sink.getvalue()


def _csv_field(entry: Entry) -> str:
    if entry.absent:
        return ""
    return repr(float(entry.value)) if entry.value is not None else _csv_text(entry.text)


def _csv_text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def to_markdown(table: Table) -> str:
    """Returns a pipe table under its title, with the best in bold."""
    lines = [f"### {_markdown_text(table.title)}", "", _markdown_text(table.caption), ""]
    lines.append("| " + " | ".join(map(_markdown_text, table.columns)) + " |")
    lines.append("|" + " --- |" * len(table.columns))
    lines += ["| " + " | ".join(map(_markdown_field, row)) + " |" for row in table.rows]
    return "\n".join(lines) + "\n"


def _markdown_field(entry: Entry) -> str:
    text = _markdown_text(entry.text)
    return f"**{text}**" if entry.best else f"{text} ≈" if entry.equal else text


def _markdown_text(text: str) -> str:
    flat = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", flat)


def to_latex(table: Table) -> str:
    r"""Returns a booktabs table (``\usepackage{booktabs}``), with the best in bold."""
    columns = "l" + "r" * (len(table.columns) - 1)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(table.title)}. {escape_latex(table.caption)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(map(escape_latex, table.columns)) + r" \\",
        r"\midrule",
        *(" & ".join(map(_latex_field, row)) + r" \\" for row in table.rows),
    ]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _latex_field(entry: Entry) -> str:
    text = escape_latex(entry.text)
    return rf"\textbf{{{text}}}" if entry.best else rf"{text} $\approx$" if entry.equal else text


def escape_latex(text: str) -> str:
    """Returns the text so that TeX prints it; characters that its default fonts lack become question marks."""
    flat = "".join(_TEX.get(c, c) for c in " ".join(text.split()))
    return "".join(c if c.isprintable() and ord(c) < 0x180 else "?" for c in flat)
