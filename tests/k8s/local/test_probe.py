"""GPUs that the driver lists and the trainer cannot use are named, and get no worker."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from k8s.launch import main
from k8s.local import probe
from k8s.local.programs import Programs
from tests.k8s.fake_launch import FAKES


@pytest.mark.parametrize(
    ("gpus", "usable", "found", "asked"),
    [
        (["0", "1"], ["0", "1"], ["0", "1"], 1),
        (["0", "1"], [], [], 1),
        (["0"], [], [], 1),
        (["0", "1", "2"], ["0", "2"], ["0", "2"], 4),
        ([], [], [], 0),
    ],
)
def test_gpus_are_asked_about_one_by_one_only_where_some_can_be_used(gpus, usable, found, asked):
    questions = []

    def count(some):
        questions.append(some)
        return len(set(some) & set(usable))

    assert probe.find_usable_gpus(gpus, count) == found
    assert len(questions) == asked


def test_slices_of_which_a_process_sees_one_only_are_all_used():
    assert probe.find_usable_gpus(["MIG-a", "MIG-b"], lambda some: 1) == ["MIG-a", "MIG-b"]


@pytest.mark.parametrize("code", ["import nothing_of_this_name", "print('no number')", "pass"])
def test_where_the_trainer_cannot_say_its_workers_will(code):
    programs = Programs(probe=(sys.executable, "-c", code))

    assert probe.count_usable_gpus(programs, ["0"]) is None
    assert probe.find_usable_gpus(["0"], lambda some: None) == ["0"]


def test_the_trainer_is_asked_with_these_gpus_visible():
    code = "import os; print('chatter'); print(len(os.environ['CUDA_VISIBLE_DEVICES'].split(',')))"

    assert probe.count_usable_gpus(Programs(probe=(sys.executable, "-c", code)), ["0", "MIG-a"]) == 2


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """A machine whose driver lists a GPU and that has two cores."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'GPU 0: Tesla T4 (UUID: GPU-5d5b)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/bin:/usr/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("k8s.local.crew.usable_cores", lambda: 2)


@pytest.mark.parametrize(("count", "workers"), [("0", ["cpu0", "cpu1"]), ("1", ["gpu0"])])
def test_a_gpu_that_cannot_be_used_is_named_and_the_cores_train(count, workers, launcher, listed, capsys):
    fakes = dataclasses.replace(FAKES, probe=(sys.executable, "-c", f"print({count})"))
    argv = [a for a in launcher.argv() if a not in ("--workers", "2")]

    assert main(argv, fakes) == 0
    out, err = capsys.readouterr()

    assert sorted({line.split(":")[0] for line in out.splitlines() if "begins" in line}) == workers
    assert ("warning: TensorFlow cannot use GPU 0, which the driver lists: the cores train" in err) == (count == "0")
    assert err.count("\n") == (count == "0")


def test_nothing_is_asked_where_nothing_is_trained(launcher, listed, capsys):
    fakes = dataclasses.replace(FAKES, probe=(sys.executable, "-c", "print(0)"))
    assert main(launcher.argv("--plan"), fakes) == 0
    main(launcher.argv(), dataclasses.replace(FAKES, probe=(sys.executable, "-c", "print(1)")))
    capsys.readouterr()

    assert main(launcher.argv(), fakes) == 0
    assert capsys.readouterr().err == ""
