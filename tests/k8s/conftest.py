"""The launcher with fakes in place of trainer and aggregator, in this process or as a program of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from experiment import keys
from experiment.run import Run
from k8s.launch import main
from k8s.local import prepare as local_prepare
from k8s.local import training as local_training
from tests.factories import commit
from tests.k8s.api_server import ApiServer
from tests.k8s.cluster_objects import GRID as SMOKE
from tests.k8s.fake_launch import FAKES

ROOT = Path(__file__).parent.parent.parent
GRID = """
[base]
dataset = "digits"
epochs = 2
[[product]]
method = ["ce", "l2"]
alpha = [1.0, 0.1, 0.01]
"""


@dataclass
class Launcher:
    """Launches a grid of 6 cells in 2 shapes, and tells what the fake trainers did."""

    home: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __post_init__(self) -> None:
        self.grid = self.home / "six.toml"
        self.grid.write_text(GRID)
        self.store = self.home / "store"
        self.journal = self.home / "journal"
        self.behave()

    def behave(self, **fake) -> None:
        """How the fake trainers behave from now on."""
        self.monkeypatch.setenv("FAKE", json.dumps({"journal": str(self.journal), "seconds": 0.05, **fake}))

    def argv(self, *more: str) -> list[str]:
        grid = () if "--grid" in more else ("--grid", str(self.grid))
        return [*grid, "--executor", "local", "--store", str(self.store), "--workers", "2", *more]

    def __call__(self, *more: str) -> tuple[int, list[str], str]:
        """Exit code, lines of standard output, standard error."""
        code = main(self.argv(*more), FAKES)
        out, err = self.capsys.readouterr()
        return code, out.splitlines(), err

    def start(self, *more: str) -> subprocess.Popen:
        """The same as a program of its own, in a session of its own."""
        return subprocess.Popen(
            [sys.executable, str(ROOT / "tests/k8s/fake_launch.py"), *self.argv(*more)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def events(self, *kinds: str) -> list[dict]:
        """What the fake trainers wrote down, in order."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [e for e in map(json.loads, lines) if not kinds or e["event"] in kinds]

    def commits(self) -> Counter[int]:
        """How often each index was committed."""
        return Counter(e["index"] for e in self.events("commit") if e["mine"])

    def until(self, *kinds: str, number: int = 1, seconds: float = 60) -> list[dict]:
        """Waits for so many of these events."""
        deadline = time.monotonic() + seconds
        while len(found := self.events(*kinds)) < number:
            assert time.monotonic() < deadline, f"only {found}"
            time.sleep(0.02)
        return found


@pytest.fixture
def launcher(tmp_path, monkeypatch, capsys):
    """A launcher whose pauses are short."""
    for module in (local_training, local_prepare):
        monkeypatch.setattr(module, "BACK_OFF", 0.05)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return Launcher(tmp_path, monkeypatch, capsys)


@pytest.fixture
def launched(local_store, monkeypatch, tmp_path):
    """The store of a run ``mine`` of four cells, the second of which is done; no cluster."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    local_store.put(keys.grid("mine"), Run(name="mine", grid=SMOKE).to_bytes())
    commit(local_store, SMOKE.cells[1])
    return local_store


@pytest.fixture
def api(launched, monkeypatch, tmp_path):
    """An API server with memory, which the kubeconfig of the test names; the store has the run ``mine``."""
    server = ApiServer()
    monkeypatch.setenv("KUBECONFIG", str(server.write_kubeconfig(tmp_path / "kubeconfig")))
    yield server
    server.stop()


@pytest.fixture
def smoke(local_store):
    """The store with a committed cell of grid smoke, and that cell."""
    commit(local_store, SMOKE.cells[1])
    return local_store, SMOKE.cells[1]
