"""A warning of our own code fails a test; a library's warning about itself does not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIBRARY = """
import warnings

warnings.warn("at import")

def warns():
    warnings.warn("of itself")

def blames_its_caller():
    warnings.warn("this call will go away", DeprecationWarning, stacklevel=2)

def calls_itself_wrongly():
    blames_its_caller()
"""
OURS = """
import warnings
import library

def warns():
    warnings.warn("ours")

def calls_wrongly():
    library.blames_its_caller()

def calls():
    library.warns()
    library.calls_itself_wrongly()

def leaks():
    open(__file__)
"""
TESTS = """
import pytest
from trainer import ours

@pytest.mark.parametrize("act", ["warns", "calls_wrongly", "calls", "leaks"])
def test(act):
    getattr(ours, act)()
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """The acts of our own code that fail a test under the project's configuration."""
    home = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "pyproject.toml", home)
    for name, text in {"library": LIBRARY, "trainer/ours": OURS, "tests/test_ours": TESTS}.items():
        path = home / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=120)

    assert re.search(r"^3 failed, 1 passed", done.stdout, re.MULTILINE), done.stdout + done.stderr
    return set(re.findall(r"^(?:FAILED|ERROR) .*test\[(\w+)\]", done.stdout, re.MULTILINE))


@pytest.mark.parametrize("act", ["warns", "calls_wrongly", "leaks"])
def test_what_our_code_is_to_blame_for_fails(failed, act):
    assert act in failed


def test_what_a_library_says_of_itself_does_not(failed):
    assert "calls" not in failed
