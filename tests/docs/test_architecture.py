"""docs/architecture.md names files, functions and constants that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FILES = sorted(set(re.findall(r"`((?:experiment|trainer|k8s|aggregator|tests|docs)/[\w/.-]+)`", TEXT)))
FUNCTIONS = re.findall(r"`([\w/]+\.py)`: `(\w+)`", TEXT)
CONSTANTS = re.findall(r"`([A-Z_]{4,})`[^`|]* in (?:`([\w/]+\.py)`)", TEXT)


def names_of(path: str) -> set[str]:
    """The names that a module defines at its top."""
    found = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


@pytest.mark.parametrize("path", [f for f in FILES if "VERB" not in f])
def test_a_file_that_it_names_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("path", "name"), FUNCTIONS + [(path, name) for name, path in CONSTANTS])
def test_a_name_that_it_gives_is_defined_there(path, name):
    assert name in names_of(path)


def test_it_follows_a_cell_from_the_grid_to_the_report():
    packages = [path.partition("/")[0] for path, _ in FUNCTIONS]

    assert len(FUNCTIONS) >= 14
    assert packages[0] == "experiment" and packages[-1] == "aggregator"


def test_every_module_of_experiment_and_every_wing_has_its_place():
    wings = [p.parent for p in ROOT.glob("*/*/__init__.py") if p.parts[-3] in ("trainer", "k8s", "aggregator")]

    assert [str(w.relative_to(ROOT)) for w in wings if not re.search(rf"\b{w.name}\b", TEXT)] == []
