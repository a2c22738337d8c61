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
    "pycurl": {"experiment"},
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


def module_of(file: Path) -> str:
    """The name under which a file is imported."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = [(p, f) for p in PACKAGES for f in sorted((ROOT / p).rglob("*.py"))]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_experiment_and_itself_only(package):
    wrong = {
        f"{f}: {n}" for p, f in FILES if p == package for n in imports(f) & set(PACKAGES) - {"experiment", package}
    }

    assert wrong == set()


# By wing, the modules that none of its own may reach, directly or through others.
OUT_OF_REACH = {
    "trainer.model": {"experiment.keys", "experiment.store", "experiment.s3", "trainer.datasets"},
    "k8s.planning": {"k8s.cluster", "k8s.local"},
    "k8s.manifests": {"k8s.cluster", "k8s.local", "k8s.planning"},
    "aggregator.reading": {"aggregator.report", "aggregator.figures", "aggregator.claims", "aggregator.study"},
    "aggregator.figures": {"aggregator.report", "aggregator.claims"},
    "aggregator.claims": {"aggregator.report", "aggregator.figures"},
}


def imported_modules(file: Path) -> set[str]:
    """The modules of ours that a file imports, with the packages that hold them."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    return {".".join(name.split(".")[: n + 1]) for name in found for n in range(name.count(".") + 1)}


def reached_modules(start: set[str]) -> set[str]:
    """These modules and all that they import of ours, directly or through others."""
    files = {module_of(f): f for _, f in FILES}
    reached: set[str] = set()
    waiting = start & set(files)
    while waiting:
        reached |= waiting
        waiting = {m for module in waiting for m in imported_modules(files[module])} & set(files) - reached
    return reached


@pytest.mark.parametrize("wing", OUT_OF_REACH)
def test_a_wing_reaches_nothing_that_is_not_its_business(wing):
    package = wing.partition(".")[0]
    modules_of_wing = {m for m in modules(package) if f"{m}.".startswith(f"{wing}.")}

    assert modules_of_wing
    assert reached_modules(modules_of_wing) & OUT_OF_REACH[wing] == set()


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_imported_by_its_owner_only(library):
    assert {p for p, f in FILES if library in imports(f)} <= OWNERS[library]


def test_nothing_imports_a_program():
    programs = {module_of(f) for _, f in FILES if 'if __name__ == "__main__"' in f.read_text()}

    assert "k8s.launch" in programs
    assert {f"{f}: {m}" for _, f in FILES for m in imported_modules(f) & programs} == set()


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
    return [module_of(f) for p, f in FILES if p == package]


@pytest.mark.parametrize(
    ("names", "has"),
    [
        ([m for m in modules("experiment") if not m.startswith("experiment.s3")], set()),
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
