"""Tables as CSV, Markdown and LaTeX; their texts are made harmless to spreadsheets, browsers and TeX."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Sequence

from aggregator.entries import NOTHING, Entry
from aggregator.tables import Table

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
    """Returns one line per row, with numbers as numbers.

    An interval becomes two columns, ``low`` and ``high``. Marks become a column, and so does each thing that a text names.

    An apostrophe precedes texts that a spreadsheet would run as formulas.
    """
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    columns = [_csv_columns(name, [row[i] for row in table.rows]) for i, name in enumerate(table.columns)]
    writer.writerow([_csv_text(name) for column in columns for name in column])
    for row in range(len(table.rows)):
        writer.writerow([fields[row] for column in columns for fields in column.values()])
    return sink.getvalue()


def _csv_columns(name: str, entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Returns what a column of a table is in a CSV: itself or the parts of its texts, bounds of intervals, and marks."""
    parts = dict.fromkeys(part for e in entries for part in e.parts)
    if parts:
        return {part: [_csv_part(e.parts.get(part, "")) for e in entries] for part in parts}
    ends = {
        f"{name}: {end}": [_csv_number(e.bounds[i]) if e.bounds else "" for e in entries]
        for i, end in enumerate(("low", "high"))
        if any(e.bounds for e in entries)
    }
    marks = {f"{name}: mark": ["best" if e.best else "equal" if e.equal else "" for e in entries]}
    own = {name: [_csv_field(e) for e in entries]} if not ends or any(e.value is not None for e in entries) else {}
    return own | ends | (marks if any(e.best or e.equal for e in entries) else {})


def _csv_part(part: str | float) -> str:
    return _csv_text(part) if isinstance(part, str) else _csv_number(part)


def _csv_field(entry: Entry) -> str:
    if entry.absent or entry.text == NOTHING:
        return ""
    return _csv_number(entry.value) if entry.value is not None else _csv_text(entry.text)


def _csv_number(value: float) -> str:
    return f"{value:.15g}"  # the last bits of a double would print 0.59 as 0.5900000000000001


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
