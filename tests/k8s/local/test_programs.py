"""The commands of trainer and aggregator, and the environment in which they run."""

from __future__ import annotations

import subprocess

from k8s.local.programs import Programs


def test_commands_name_the_run_or_the_store():
    programs = Programs(trainer=("t",), aggregator=("a",), tensorboard=True)

    assert programs.train("s/runs/r") == ("t", "--run", "s/runs/r", "--indexes", "-", "--tensorboard")
    assert programs.prepare("mnist", "s") == ("t", "--prepare", "mnist", "--store", "s")
    assert programs.report("s/runs/r") == ("a", "--run", "s/runs/r")


def test_the_suite_is_found_from_any_folder(tmp_path):
    command = [*Programs().aggregator, "--help"]
    done = subprocess.run(
        command, cwd=tmp_path, env=Programs().environment(), capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr


def test_a_slots_variables_outrank_the_launchers(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "9")

    assert Programs(env={"A": "1"}).environment({"OMP_NUM_THREADS": "1"})["OMP_NUM_THREADS"] == "1"
    assert Programs(env={"A": "1"}).environment()["A"] == "1"
