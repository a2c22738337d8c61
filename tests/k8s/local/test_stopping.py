"""A launch on this machine that is stopped or killed keeps what is done, and the same command finishes it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.k8s.local.conftest import ONCE


def wait_until_gone(pids):
    """Waits until none of these processes is there."""
    deadline = time.monotonic() + 60
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            while os.kill(pid, 0) is None:
                assert time.monotonic() < deadline, f"{pid} goes on"
                time.sleep(0.02)


def unfinished(launcher):
    """The indexes that a worker began and neither committed nor stopped."""
    begun, ended = (
        Counter(e["index"] for e in launcher.events(*kinds)) for kinds in (["begin"], ["commit", "stopped"])
    )
    return begun - ended


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_stops_its_workers_within_seconds(number, launcher):
    launcher.behave(seconds=1)
    running = launcher.start()
    launcher.until("commit")
    launcher.until("begin", number=3)
    running.send_signal(number)
    out, err = running.communicate(timeout=30)
    done = len(launcher.commits())

    assert running.returncode == 143
    assert err == f"error: stopped by {number.name}; finished cells are kept, the same command goes on\n"
    assert "stopping: workers save their checkpoints" in out
    assert launcher.events("stopped")
    assert not unfinished(launcher)
    launcher.behave()
    assert launcher()[0] == 0
    assert launcher.commits() == ONCE
    assert done >= 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stage", ["prepare", "report"])
def test_told_to_stop_before_or_after_training_it_ends_within_seconds(stage, number, launcher):
    launcher.behave(**{f"{stage}_seconds": 60})
    running = launcher.start()
    if stage == "prepare":
        launcher.until("prepare")
        time.sleep(0.3)  # its handler is there
    else:
        assert any("report on" in line for line in iter(running.stdout.readline, ""))
    began = time.monotonic()
    running.send_signal(number)
    _, err = running.communicate(timeout=30)

    assert (running.returncode, time.monotonic() - began < 10) == (143, True)
    assert err == f"error: stopped by {number.name}; finished cells are kept, the same command goes on\n"
    assert len(launcher.events("prepare stopped")) == (stage == "prepare")
    assert len(launcher.commits()) == (0 if stage == "prepare" else 6)


def test_a_second_signal_kills_workers_that_do_not_stop(launcher):
    launcher.behave(seconds=30, deaf=True)
    running = launcher.start()
    workers = {e["pid"] for e in launcher.until("begin", number=2)}
    running.send_signal(signal.SIGINT)
    assert any("stopping" in line for line in iter(running.stdout.readline, ""))
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=25)  # less than a cell takes

    assert running.returncode == 143
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_when_the_launcher_is_killed_its_workers_stop_and_the_same_command_finishes(launcher):
    launcher.behave(seconds=0.8)
    running = launcher.start()
    launcher.until("commit", number=2)
    running.kill()
    running.communicate()
    wait_until_gone({e["pid"] for e in launcher.events("begin")})
    assert not unfinished(launcher)
    launcher.behave()
    code, lines, _ = launcher()

    assert (code, lines[-2]) == (0, "report on 6 cells")
    assert launcher.commits() == ONCE


def test_a_killed_worker_costs_an_attempt_and_no_finished_cell(launcher):
    launcher.behave(seconds=0.5)
    running = launcher.start()
    launcher.until("commit", number=1)
    os.kill(launcher.until("begin", number=3)[-1]["pid"], signal.SIGKILL)
    running.communicate(timeout=60)

    assert running.returncode == 0
    assert launcher.commits() == ONCE


def test_a_killed_pool_costs_an_attempt_and_no_finished_cell(launcher):
    launcher.behave(seconds=0.5)
    running = launcher.start()
    launcher.until("commit")
    worker = launcher.until("begin", number=3)[-1]["pid"]
    os.kill(int(Path(f"/proc/{worker}/stat").read_text().split()[3]), signal.SIGKILL)
    out, _ = running.communicate(timeout=60)

    assert running.returncode == 0
    assert "the trainer was killed by SIGKILL); attempt 2 of 3" in out
    assert launcher.commits() == ONCE
