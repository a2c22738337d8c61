"""A Python that lacks a package is named in one line, whichever program it was to run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiment.errors import InvalidInput
from experiment.needs import import_packages, require_packages
from k8s.verbs import VERBS

ROOT = Path(__file__).parent.parent.parent


def run(*command, **env):
    return subprocess.run(command, env={**os.environ, **env}, cwd=ROOT, capture_output=True, text=True, timeout=100)


@pytest.fixture
def program(tmp_path):
    """A package that needs numpy and is run as ``python -m needy``, where other files may lie in its way."""
    (tmp_path / "needy").mkdir()
    (tmp_path / "needy" / "__init__.py").write_text(
        "from experiment.needs import require_packages\nrequire_packages('some-extra', 'numpy')\n"
    )
    (tmp_path / "needy" / "__main__.py").write_text("import numpy\nprint('ran', numpy.arange(3).sum())\n")
    return lambda *arguments: run(sys.executable, *arguments, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")


def test_a_program_that_has_what_it_needs_runs(program):
    assert program("-m", "needy").stdout == "ran 3\n"


@pytest.mark.parametrize("flags", [("-S",), ("-I", "-S")], ids=["without site", "isolated"])
def test_a_program_without_its_packages_ends_with_one_line_and_42(program, flags, tmp_path):
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; sys.argv = ['-m']; import needy.__main__"
    done = program(*flags, "-c", code)

    assert done.returncode == 42
    assert len(done.stderr.splitlines()) == 1
    assert re.match(
        r"error: the Python .* lacks the package numpy; allowed: .*extra some-extra; pip install", done.stderr
    )


@pytest.mark.parametrize(
    ("extra", "advice"),
    [("k8s", r"'make demo' makes one .*, or pip install '\.\[k8s\]'"), ("onnx", r"pip install '\.\[onnx\]'")],
)
def test_the_advice_is_a_command_that_brings_the_package(extra, advice):
    with pytest.raises(ImportError, match=rf"; {advice}$"):
        require_packages(extra, "no_such_package")


PROGRAMS = ("k8s", "aggregator", "trainer", *(f"k8s.{verb}" for verb in VERBS))


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_says_in_one_line_that_python_has_no_packages(name):
    done = run(sys.executable, "-S", "-m", name)

    assert done.returncode == 42
    assert re.fullmatch(r"error: the Python .* lacks the package [a-z]+; allowed: .*\n", done.stderr)


@pytest.mark.parametrize(("name", "lacking"), [("k8s.status", "kubernetes"), ("k8s.setup", "jinja2")])
def test_a_program_that_has_begun_to_run_names_what_only_it_needs(name, lacking, tmp_path):
    for there in ("pyarrow", "numpy"):
        (tmp_path / there).mkdir()
        (tmp_path / there / "__init__.py").touch()
    done = run(sys.executable, "-S", "-m", name, PYTHONPATH=str(tmp_path))

    assert done.returncode == 42
    assert re.fullmatch(rf"error: the Python .* lacks the package {lacking}; .*extra k8s; .*\n", done.stderr)


def test_a_program_imported_by_another_raises_that_line(program, tmp_path):
    done = program("-S", "-c", "import needy")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ImportError: the Python ")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_file_of_the_same_name_is_named(program, tmp_path, kind):
    if kind == "file":
        (tmp_path / "numpy.py").write_text("x = 1\n")
        done = program("-m", "needy")
        assert (done.returncode, "Traceback" in done.stderr) == (42, False)
        assert re.search(r"would take .*numpy\.py for numpy; .*rename that file", done.stderr)
    else:
        (tmp_path / "keras").mkdir()
        (tmp_path / "keras" / "__init__.py").write_text("")
        done = program("-c", "from experiment.needs import import_packages as i; i('trainer', 'keras')")
        assert re.search(r"InvalidInput: .*would take .*keras.__init__\.py for keras; ", done.stderr)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("import no_such_package_here", "No module named"), ("raise ValueError('no driver')", r"\(no driver\)")],
)
def test_a_package_that_cannot_be_imported_is_named_with_the_reason(tmp_path, monkeypatch, text, reason):
    (tmp_path / "broken_package").mkdir()
    (tmp_path / "broken_package" / "__init__.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InvalidInput, match=rf"cannot import broken_package .*{reason}.*extra trainer"):
        import_packages("trainer", "broken_package")


def test_a_missing_package_is_refused_where_a_part_of_a_program_needs_it():
    with pytest.raises(InvalidInput, match="lacks the package no_such_package_here"):
        import_packages("trainer", "numpy", "no_such_package_here")


def test_a_python_that_is_too_old_is_named(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(sys, "version", "3.9.2 (default)")
    with pytest.raises(ImportError, match=r"is version 3\.9\.2; allowed: Python 3\.11 or later"):
        require_packages("trainer")
