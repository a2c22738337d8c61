"""Packages depend on one another in one direction, and each runs where only its own extra is installed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("experiment", "trainer", "k8s", "aggregator")
OWNERS = {
    "tensorflow": {"trainer"},
    "keras": {"trainer"},
    "kubernetes": {"k8s"},
    "yaml": {"k8s"},
    "pandas": {"aggregator"},
    "matplotlib": {"aggregator"},
    "scipy": {"aggregator"},
    "jinja2": {"k8s", "aggregator"},
    "rich": {"k8s"},
    "boto3": {"experiment"},
    "botocore": {"experiment"},
}


def imports(file: Path) -> set[str]:
    """The top-level names that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


FILES = [(p, f) for p in PACKAGES for f in sorted((ROOT / p).rglob("*.py"))]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_experiment_and_itself_only(package):
    wrong = {
        f"{f}: {n}" for p, f in FILES if p == package for n in imports(f) & set(PACKAGES) - {"experiment", package}
    }

    assert wrong == set()


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_imported_by_its_owner_only(library):
    assert {p for p, f in FILES if library in imports(f)} <= OWNERS[library]


def imported_modules(file: Path) -> set[str]:
    """The modules that a file imports, in full, wherever in it."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    found = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    sources = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module and not n.level]
    return found | {n.module for n in sources} | {f"{n.module}.{a.name}" for n in sources for a in n.names}


@pytest.mark.parametrize(
    ("wing", "unknown"),
    [
        (
            "aggregator/reading",
            ["aggregator.report", "aggregator.figures", "aggregator.claims", "aggregator.study", "aggregator.tables"],
        ),
        ("aggregator/figures", ["aggregator.report", "aggregator.claims"]),
        ("aggregator/claims", ["aggregator.report", "aggregator.figures", "aggregator.reading"]),
    ],
)
def test_a_wing_imports_nothing_of_the_wings_that_build_on_it(wing, unknown):
    files = sorted((ROOT / wing).rglob("*.py"))

    assert files
    assert {
        (f.name, m) for f in files for m in imported_modules(f) for u in unknown if f"{m}.".startswith(f"{u}.")
    } == set()


BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is blocked", name=name)
sys.meta_path.insert(0, Blocked())
import importlib
for module in {modules!r}:
    importlib.import_module(module)
"""
HEAVY = (
    "tensorflow",
    "keras",
    "pandas",
    "matplotlib",
    "scipy",
    "kubernetes",
    "jinja2",
    "yaml",
    "rich",
    "boto3",
    "sklearn",
)


def modules(package: str) -> list[str]:
    """Every module of a package."""
    files = (f.relative_to(ROOT).with_suffix("") for p, f in FILES if p == package)
    return [".".join(f.parts).removesuffix(".__init__") for f in files]


@pytest.mark.parametrize(
    ("names", "has"),
    [
        ([m for m in modules("experiment") if m != "experiment.s3"], set()),
        (["k8s.launch", "k8s.local.executor", "k8s.planning.survey", "k8s.planning.plan"], set()),
        (modules("k8s"), {"kubernetes", "jinja2", "yaml", "rich", "boto3"}),
        (modules("aggregator"), {"pandas", "matplotlib", "scipy", "jinja2", "boto3"}),
        (modules("trainer"), {"tensorflow", "keras", "sklearn", "boto3", "scipy", "rich"}),  # two of them by others
    ],
    ids=["experiment", "launch on this machine", "k8s", "aggregator", "trainer"],
)
def test_a_part_is_imported_where_only_its_own_libraries_are(names, has):
    blocked = tuple(library for library in HEAVY if library not in has)
    code = BLOCK.format(blocked=blocked, modules=names)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=200)

    assert done.returncode == 0, done.stderr[-2000:]


def test_no_file_is_longer_than_200_lines():
    lengths = {str(f.relative_to(ROOT)): len(f.read_text().splitlines()) for _, f in FILES}

    assert {f: n for f, n in lengths.items() if n > 200} == {}


def test_every_module_says_what_it_is_for():
    assert [str(f) for _, f in FILES if not ast.get_docstring(ast.parse(f.read_text()))] == []
