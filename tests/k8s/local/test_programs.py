"""The commands of trainer and aggregator, and the environment in which they run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from k8s.local.crew import Crew
from k8s.local.programs import Programs


def test_commands_name_the_run_or_the_store():
    programs = Programs(trainer=("t",), aggregator=("a",), tensorboard=True)

    training = programs.train("s/runs/r", Crew(workers=2, gpus=("0",)))
    assert training == ("t", "--run", "s/runs/r", "--indexes", "-", "--workers", "2", "--tensorboard")
    assert programs.prepare("mnist", "s") == ("t", "--prepare", "mnist", "--store", "s")
    assert programs.report("s/runs/r") == ("a", "--run", "s/runs/r")


def test_the_suite_is_found_from_any_folder(tmp_path):
    command = [*Programs().aggregator, "--help"]
    done = subprocess.run(
        command, cwd=tmp_path, env=Programs().environment(), capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr


def test_a_programs_own_variables_outrank_the_launchers(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "9")

    assert Programs(env={"A": "1"}).environment({"OMP_NUM_THREADS": "1"})["OMP_NUM_THREADS"] == "1"
    assert Programs(env={"A": "1"}).environment()["A"] == "1"


HOSTILE = {
    "PYTHONINSPECT": "1",
    "PYTHONWARNINGS": "error",
    "PYTHONIOENCODING": "ascii",
    "PYTHONOPTIMIZE": "2",
    "PYTHONVERBOSE": "1",
    "PYTHONSTARTUP": "/none.py",
    "PYTHONPROFILEIMPORTTIME": "1",
    "PYTHONHASHSEED": "no number",
    "PYTHONDEVMODE": "1",
    "PYTHONMALLOC": "nonsense",
    "PYTHONTRACEMALLOC": "x",
    "PYTHONLEGACYWINDOWSSTDIO": "1",
    "PYTHONPATH": os.pathsep,
    "KERAS_BACKEND": "jax",
    "MPLBACKEND": "module://none",
}
PROGRAM = """
import random, sys, warnings
warnings.warn("from a library", ImportWarning)
assert sys.flags.optimize == 0 and not sys.flags.inspect
print("данные", __debug__)
"""


@pytest.mark.parametrize("name", [*HOSTILE, ""])
def test_what_python_reads_from_the_users_environment_cannot_break_a_program(name, monkeypatch, tmp_path):
    for module in ("random", "trainer", "experiment"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('the working directory was searched')")
    for variable, value in HOSTILE.items():
        if name in ("", variable):
            monkeypatch.setenv(variable, value)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=Programs().environment(),
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        input=b"",
    )

    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (0, "данные True\n", "")


def test_a_whole_launch_survives_such_an_environment(launcher, monkeypatch):
    for variable in ("PYTHONINSPECT", "PYTHONVERBOSE", "PYTHONHASHSEED"):
        monkeypatch.setenv(variable, HOSTILE[variable])
    for variable in ("KERAS_BACKEND", "PYTHONWARNINGS", "PYTHONPATH"):
        monkeypatch.setenv(variable, HOSTILE[variable])

    code, lines, err = launcher()

    assert (code, lines[-2], err) == (0, "report on 6 cells", "")


def test_where_packages_are_is_passed_on(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "/opt/packages", ""]))
    monkeypatch.setenv("PYTHONUSERBASE", "/opt/user")
    found = Programs().environment()

    assert found["PYTHONPATH"].split(os.pathsep)[1:] == ["/opt/packages"]
    assert found["PYTHONUSERBASE"] == "/opt/user"
