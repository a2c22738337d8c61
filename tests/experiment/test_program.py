"""How programs begin and end, whatever the user's environment is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import warnings
from experiment.errors import InvalidInput
from experiment.program import report_errors, run_program

def work():
    {work}

run_program(lambda: report_errors(work))
"""


def run(work, **environment):
    command = [sys.executable, "-c", PROGRAM.format(work=work)]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_the_exit_code_is_the_works_own():
    assert run("return 7").returncode == 7


def test_a_foreseen_error_is_one_line_and_its_own_code():
    done = run("raise InvalidInput('the grid is empty')")

    assert (done.returncode, done.stderr) == (42, "error: the grid is empty\n")


def test_an_unforeseen_error_keeps_its_traceback():
    done = run("raise KeyError('x')")

    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("setting", ["error", "error::DeprecationWarning"])
def test_a_librarys_warning_ends_no_program(setting):
    done = run("warnings.warn('old', DeprecationWarning); return 0", PYTHONWARNINGS=setting)

    assert (done.returncode, "DeprecationWarning: old" in done.stderr) == (0, True)


def test_a_reader_that_has_seen_enough_is_no_error():
    code = PROGRAM.format(work="[print(i) for i in range(100000)]; return 0")
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1" | head -1', sys.executable, code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("0\n", "")
