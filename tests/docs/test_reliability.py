"""docs/reliability.md names a test for every fault, and each of these tests exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from trainer.stalling import MOST_STARTS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and not re.match(r"\| (fault|object) \|", line)]
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


def functions_of(path: str) -> set[str]:
    """The names of a file's functions."""
    return {n.name for n in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(n, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_a_test_that_it_names_exists(path, name):
    assert name in functions_of(path)


def test_every_row_has_a_test_and_all_its_columns():
    assert len(ROWS) >= 35
    assert [row for row in ROWS if "::test_" not in row or row.count(" | ") != 3] == []


def test_it_says_after_how_many_attempts_a_cell_is_given_up():
    numbers = {10: ("ten", "eleventh")}[MOST_STARTS]

    assert all(re.search(rf"\b{number}\b", TEXT) for number in numbers)
