"""The tree of tests mirrors the packages: a module's tests are where a reader looks for them."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("experiment", "trainer", "k8s", "aggregator")
MODULES = {f.relative_to(ROOT) for p in PACKAGES for f in (ROOT / p).rglob("*.py") if f.name != "__init__.py"}
TESTS = {f.relative_to(ROOT) for f in (ROOT / "tests").rglob("test_*.py")}


def home_of(module: Path) -> Path:
    """Where the tests of a module are."""
    return Path("tests", module.with_name(f"test_{module.stem.strip('_')}.py"))


def test_every_module_has_its_test_file():
    assert sorted(str(m) for m in MODULES if home_of(m) not in TESTS) == []


def test_a_test_file_of_no_module_says_what_it_tests():
    others = TESTS - {home_of(m) for m in MODULES}

    assert sorted(str(t) for t in others if not ast.get_docstring(ast.parse((ROOT / t).read_text()))) == []


def test_every_folder_with_modules_is_a_package():
    assert sorted(str(m.parent) for m in MODULES if not (ROOT / m.parent / "__init__.py").exists()) == []
