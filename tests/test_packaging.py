"""What is in the tree is what gets installed, typed, and cited under its version."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]
TOP = ("experiment", "trainer", "k8s", "aggregator")
FILES = {f for top in TOP for f in (ROOT / top).rglob("*") if f.is_file() and f.suffix != ".pyc"}


def test_every_folder_with_code_is_installed():
    with_code = {".".join(f.parent.relative_to(ROOT).parts) for f in FILES if f.suffix == ".py"}

    assert with_code == set(SETUPTOOLS["packages"])


def test_every_other_file_is_installed_with_its_package():
    named = {
        (package, pattern): set(ROOT.joinpath(*package.split(".")).glob(pattern))
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
    }

    assert [name for name, files in named.items() if not files] == []
    assert {f for f in FILES if f.suffix != ".py"} == set().union(*named.values())


def test_every_package_says_that_it_is_typed():
    assert [top for top in TOP if not (ROOT / top / "py.typed").exists()] == []


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = PYPROJECT["project"]

    assert {k: citation[k] for k in ("title", "version", "license")} == {
        "title": project["name"],
        "version": project["version"],
        "license": project["license"],
    }
