"""The smoke grid as a user launches it, its processes killed again and again: every cell ends bit-identical to the undisturbed one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiment import keys
from experiment.grid import load_grid
from experiment.store import LocalStore
from trainer.verify_resume import differing_columns

KILLS = 4  # of workers, of which every second takes the launcher along
CELLS = load_grid("smoke").cells


def launch(store):
    command = [sys.executable, "-m", "k8s.launch", "--grid", "smoke", "--executor", "local", "--workers", "2"]
    return subprocess.Popen(
        [*command, "--store", str(store.root)],
        env={**os.environ, "CHECKPOINT_SECONDS": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def workers(store):
    """The pids of the trainers of this store, whoever started them."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode()
        except OSError:
            continue
        if f"{store.root}/" in command and "trainer" in command.split("\0"):
            yield int(process.name)


def wait_for_a_new_checkpoint(store, seen, launcher):
    """False if the launch ended first."""
    while launcher.poll() is None:
        now = set(store.list(keys.CHECKPOINTS))
        if not now <= seen:
            seen |= now
            return True
        time.sleep(0.01)
    return False


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.mark.timeout(900)
def test_a_smoke_grid_whose_processes_are_killed_ends_bit_identical(tmp_path):
    calm, rough = (LocalStore(tmp_path / name, create=True) for name in ("calm", "rough"))
    assert launch(calm).wait() == 0
    seen, kills, launcher = set(), 0, launch(rough)
    while kills < KILLS and wait_for_a_new_checkpoint(rough, seen, launcher):
        if kills % 2:
            launcher.kill()
        for pid in workers(rough):
            kill(pid)
        kills += 1
        if kills % 2 == 0:
            launcher.wait()
            launcher = launch(rough)
    launcher.wait()
    assert launch(rough).wait() == 0
    assert kills == KILLS
    assert [differing_columns(cell, calm, rough) for cell in CELLS] == [[]] * len(CELLS)
    assert list(rough.list(keys.CHECKPOINTS)) == []
