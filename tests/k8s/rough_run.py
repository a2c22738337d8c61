"""A launch on this machine whose store fails one request in ten and whose workers die, with trainers that only pretend."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from experiment import keys
from experiment.ledger import committed_ids, read_failures
from experiment.run import read_run
from experiment.store import open_store
from tests import faults

FAILING = 0.1  # of the requests to the store, of the first attempts, and of these again the second ones
ERRORS = ("SlowDown", "InternalError", "gone", "lost")
ATTEMPTS = 3  # that a launch promises each cell
LAUNCH = Path(__file__).parent / "fake_launch.py"
TABLE = """
[base]
dataset = "digits"
method = "single"
epochs = 2
[[product]]
seed = {seeds}
"""


class FailingProxy(faults.Proxy):
    """Fails one request in ten, each in a way drawn by lot; ``failed`` counts them."""

    def __init__(self, target: str, seed: int = 0) -> None:
        super().__init__(target)
        self.requests, self.failed = 0, 0
        self._lots, self._drawing = random.Random(seed), threading.Lock()

    def next_fault(self, method: str) -> str | None:
        with self._drawing:
            self.requests += 1
            fault = self._lots.choice(ERRORS) if self._lots.random() < FAILING else None
            self.failed += fault is not None
            return fault


def draw_ends(cells: int, seed: int = 0) -> dict[int, list[str]]:
    """How the attempts at cells end that fail: killed or transient, one in ten once, one of these twice; the first cell always."""
    lots = random.Random(seed)
    ends = {}
    for index in lots.sample(range(1, cells), max(2, round(cells * FAILING))):
        ends[index] = [lots.choice(("kill", "transient"))]
    for index in list(ends)[: max(1, round(len(ends) * FAILING))]:
        ends[index].append("kill")
    return {**ends, 0: ["transient"] * ATTEMPTS}


@dataclass
class RoughRun:
    """Launches a grid of so many cells into a store behind a failing proxy, until it is complete."""

    home: Path
    url: str
    cells: int
    workers: int = 2
    ends: dict[int, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ends = self.ends or draw_ends(self.cells)
        self.journal = self.home / "journal"
        (self.home / "rough.toml").write_text(TABLE.format(seeds=list(range(self.cells))))

    def launch(self) -> tuple[int, float]:
        """Launches once; returns exit code and seconds."""
        fake = {"journal": str(self.journal), "seconds": 0.02, "ends": self.ends}
        command = [sys.executable, str(LAUNCH), "--grid", str(self.home / "rough.toml"), "--executor", "local"]
        where = ["--store", self.url, "--run", "rough", "--workers", str(self.workers)]
        began = time.monotonic()
        with (self.home / "log").open("ab") as log:
            path = os.pathsep.join([str(LAUNCH.parent.parent.parent), os.environ.get("PYTHONPATH", "")])
            env = {**os.environ, "FAKE": json.dumps(fake), "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": ""}
            done = subprocess.run([*command, *where], env=env, stdout=log, stderr=log, check=False)
        return done.returncode, time.monotonic() - began

    def events(self, kind: str) -> Counter[int]:
        """How often each cell's trainer wrote down this event."""
        events = map(json.loads, self.journal.read_text().splitlines())
        return Counter(e["index"] for e in events if e["event"] == kind and e.get("mine", True))

    def check_first_launch(self, code: int) -> None:
        """Checks that all cells but the hopeless one are done, with no attempt more than the faults made needful."""
        assert code == 1, (self.home / "log").read_text()[-3000:]
        attempts = self.events("begin")
        expected = {i: min(len(self.ends.get(i, ())) + 1, ATTEMPTS) for i in range(self.cells)}
        assert attempts == expected, {i: (attempts[i], n) for i, n in expected.items() if attempts[i] != n}

    def check_last_launch(self, code: int) -> None:
        """Checks that every cell is committed exactly once and every failure has its record."""
        assert code == 0, (self.home / "log").read_text()[-3000:]
        assert self.events("commit") == dict.fromkeys(range(self.cells), 1)
        store = open_store(self.url)
        cells = read_run(store, "rough").grid.cells
        assert committed_ids(store, cells) == {c.id for c in cells}
        failures, problems = read_failures(store, [c.id for c in cells])
        assert not problems
        assert {i: len(failures.get(c.id, ())) for i, c in enumerate(cells)} == {
            i: len(self.ends.get(i, ())) for i in range(self.cells)
        }
        assert list(store.find([keys.PROGRESS, keys.CHECKPOINTS])) == []
