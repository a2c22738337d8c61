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


@pytest.mark.parametrize("work", ["print('x'); return 0", "[print('x' * 100, flush=True) for _ in 'ab']; return 0"])
def test_output_that_finds_no_room_is_one_line_and_may_be_tried_again(work):
    code = PROGRAM.format(work=work)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)

    assert done.returncode == 75
    assert done.stderr.startswith("error: the output cannot be written: No space left on device; free space")
    assert len(done.stderr.splitlines()) == 1


def test_a_program_whose_output_is_closed_does_its_work():
    command = ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, PROGRAM.format(work="print('x'); return 7")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (7, "")
