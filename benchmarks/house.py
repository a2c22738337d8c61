"""``python -m benchmarks.house``: measures of the code that a reader feels: sizes, names, docstrings, skips of the formatter."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("experiment", "trainer", "k8s", "aggregator", "benchmarks")
WIDEST = 120
SKIP = re.compile(r"#\s*fmt:\s*(skip|off)\b")
# Functions of one name in several modules that are the same operation of one interface.
INTERFACES = frozenset({"main", "to_bytes", "from_bytes", "to_line", "prepare_steps"})


def python_files(*folders: str) -> list[Path]:
    """Returns the Python files under these folders of the repository that git knows or would add, sorted."""
    command = ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "--", *folders]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in sorted(set(listed)) if name.endswith(".py") and (ROOT / name).exists()]


def public_functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yields the functions of a module whose names do not begin with an underscore."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            yield node


def all_functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yields every function and method of a module."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def shared_names(package: str) -> dict[str, int]:
    """Returns the names that several modules of a package give to public functions, with their number."""
    counts = Counter(f.name for file in python_files(package) for f in public_functions(file))
    return {name: n for name, n in counts.items() if n > 1 and name not in INTERFACES}


def formatter_skips() -> int:
    """Returns how often the formatter is switched off in the whole repository."""
    return sum(bool(SKIP.search(line)) for file in python_files() for line in file.read_text().splitlines())


def wide_lines() -> list[str]:
    """Returns the places of lines over 120 characters that hold no string."""
    return [f"{file.relative_to(ROOT)}:{n}" for file in python_files() for n in _wide_lines(file)]


def _wide_lines(file: Path) -> Iterator[int]:
    with file.open("rb") as source:
        strings = {
            line
            for token in tokenize.tokenize(source.readline)
            if token.type in (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))
            for line in range(token.start[0], token.end[0] + 1)
        }
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        if len(line) > WIDEST and number not in strings:
            yield number


def measure(package: str) -> tuple[str, ...]:
    """Returns the figures of a package, or of all of them (``all``), as the columns of the table."""
    files = python_files(*(PACKAGES if package == "all" else (package,)))
    lengths = sorted(len(f.read_text().splitlines()) for f in files)
    functions = sorted((f.end_lineno or f.lineno) - f.lineno + 1 for file in files for f in all_functions(file))
    public = [f for file in files for f in public_functions(file)]
    one_word = sum("_" not in f.name for f in public)
    documented = sum(ast.get_docstring(f) is not None for f in public)
    shared = sum(len(shared_names(p)) for p in (PACKAGES if package == "all" else (package,)))
    return (
        package,
        _spread(lengths),
        _spread(functions),
        f"{documented / len(public):.0%}",
        str(len(public)),
        f"{one_word / len(public):.0%}",
        f"{statistics.median(len(f.name) for f in public):g}",
        str(shared),
    )


def _spread(values: list[int]) -> str:
    return f"{statistics.median(values):g}/{values[int(0.9 * (len(values) - 1))]}/{values[-1]}"


def main() -> int:
    """Prints the table and the figures of the whole repository; returns 0."""
    head = ("package", "file lines", "function lines", "documented", "public", "one word", "length", "shared names")
    for row in (head, *(measure(p) for p in (*PACKAGES, "all"))):
        print("  ".join(f"{field:>14}" for field in row))
    print("file and function lines: median/90 %/longest; length: median of the names of public functions")
    print(
        f"formatter switched off: {formatter_skips()} times; lines over {WIDEST} outside strings: {len(wide_lines())}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
