"""CI counts a skipped test as failed, but for the reasons that it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TESTS = """
import pytest

def test_passes(): pass
def test_without_a_tool(): pytest.skip("no tool here")
def test_without_the_data(): pytest.skip("no /shared/data here")

@pytest.mark.xfail(reason="known", strict=True)
def test_known(): raise ValueError
"""


@pytest.mark.parametrize(
    ("flags", "failed"),
    [
        (["--no-skips"], {"test_without_a_tool", "test_without_the_data"}),
        (["--no-skips", "--may-skip=/shared/", "-n2"], {"test_without_a_tool"}),
    ],
)
def test_a_skip_fails_unless_its_reason_is_allowed(tmp_path, flags, failed):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    (tmp_path / "tests" / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *flags]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)

    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert set(re.findall(r"^FAILED .*::(\w+)", done.stdout, re.MULTILINE)) == failed
