"""make installs once, refuses an old Python in one line, and runs what README says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = """#!/bin/sh
echo "$@" >> {log}
case "$1" in
  --version) echo Python {version};;
  -c) exit {old};;
esac
[ "$2" != venv ] || {{ mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; }}
"""


@pytest.fixture
def make(tmp_path):
    """Runs make on a copy of the Makefile with a Python that only writes down what it is told: (result, its log)."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    log = tmp_path / "log"

    def run(target: str, *, version: str = "3.11.7") -> tuple[subprocess.CompletedProcess, list[str]]:
        log.unlink(missing_ok=True)
        python = tmp_path / "some-python"
        python.write_text(PYTHON.format(log=log, version=version, old=int(version < "3.11")))
        python.chmod(0o755)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "PYTEST_FLAGS"))}
        command = ["make", "-C", str(tmp_path), target, f"PYTHON={python}"]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
        return done, log.read_text().splitlines()

    return run


def install(name: str) -> str:
    return f"-m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/{name}.txt"


DEMO = "-m k8s.launch --grid demo --executor local --store store"


def test_the_demo_installs_what_is_locked_once_and_launches(make):
    first, said = make("demo")
    assert first.returncode == 0, first.stderr
    assert said[1:] == ["-m venv .venv", install("demo"), DEMO]

    assert make("demo")[1] == [DEMO]


def test_tests_run_after_the_demo_in_the_same_environment_and_the_other_way_round(make):
    make("demo")
    assert make("test")[1] == [install("dev"), "-m pytest"]
    assert make("test")[1] == ["-m pytest"]
    assert make("demo")[1] == [DEMO]


def test_a_new_lock_is_installed(make, tmp_path):
    make("demo")
    later = (tmp_path / ".venv/.demo-installed").stat().st_mtime + 10
    os.utime(tmp_path / "requirements/demo.txt", (later, later))

    assert install("demo") in make("demo")[1]


def test_an_old_python_is_refused_with_what_to_do(make, tmp_path):
    done, said = make("demo", version="3.10.2")
    line = next(line for line in done.stderr.splitlines() if line.startswith("error: "))

    assert done.returncode != 0
    assert "some-python is Python 3.10.2; allowed: Python 3.11 or later; name one: make demo PYTHON=python3.11" in line
    assert not any("venv" in s for s in said)
    assert not (tmp_path / ".venv").exists()
