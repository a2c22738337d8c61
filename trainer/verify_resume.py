"""``python -m trainer --verify-resume``: shows on this machine that a cell killed and resumed ends bit-identical."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from experiment import keys, records, results
from experiment.cell import Cell
from experiment.grid import Grid
from experiment.records import Progress
from experiment.run import Run
from experiment.store import Store, open_store
from trainer.datasets import prepare

RUN = "verify-resume"
CELL = Cell(dataset="digits", method="l2", alpha=0.01, epochs=12)
TIMINGS = ("seconds", "images_per_second")  # what may differ
KILLS = 4


def verify_resume(cell: Cell = CELL, kills: int = KILLS) -> int:
    """Trains the cell undisturbed, then again under SIGKILL at random steps; 0 if the results are equal to the last bit."""
    with tempfile.TemporaryDirectory() as folder:
        calm, rough = (_store(Path(folder) / name, cell) for name in ("calm", "rough"))
        _, steps = _run(calm, None)
        print(f"{cell.id}: {steps} steps undisturbed")
        for number in range(kills):
            reached, _ = _run(rough, random.randrange(steps * number // kills, steps * (number + 1) // kills))
            print(f"killed with SIGKILL at step {reached}" if reached < steps else "ended before it could be killed")
        _run(rough, None)
        differing = differences(cell, calm, rough)
    print(f"differs: {', '.join(differing)}" if differing else "resumed and undisturbed results are bit-identical")
    return 1 if differing else 0


def differences(cell: Cell, one: Store, other: Store) -> list[str]:
    """The columns in which a cell's results in two stores differ, timings aside: to the last bit, NaN equal to NaN."""
    found = []
    for name, key in (("epochs", keys.epochs(cell)), ("predictions", keys.predictions(cell))):
        tables = [results.from_bytes(store.read(key), name, key) for store in (one, other)]
        found += [
            c
            for c in tables[0].column_names
            if c not in TIMINGS and results.column_bits(tables[0][c]) != results.column_bits(tables[1][c])
        ]
    return found


def _store(folder: Path, cell: Cell) -> Store:
    store = open_store(str(folder), create=True)
    prepare(cell.dataset, store)
    frozen = Run(name=RUN, grid=Grid(name="verify", cells=(cell,)))
    store.put_once(keys.grid(RUN), frozen.to_bytes(), "verify")
    return store


def _run(store: Store, kill_at: int | None) -> tuple[int, int]:
    """(steps reached, steps in all) of a worker that is killed once it shows ``kill_at``, or finishes."""
    command = [sys.executable, "-m", "trainer", "--run", keys.run_url(store.url, RUN), "--indexes", "-"]
    environ = {**os.environ, "CHECKPOINT_SECONDS": "0"}  # a checkpoint at every look
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    reached = steps = 0
    with subprocess.Popen(command, text=True, env=environ, **pipes) as worker:
        assert worker.stdin and worker.stdout
        worker.stdin.write("0\nquit\n")
        worker.stdin.flush()
        for line in worker.stdout:
            record = records.parse_record(line, "the worker's output")
            if isinstance(record, Progress):
                reached, steps = record.step, record.steps
                if kill_at is not None and reached >= kill_at:
                    worker.kill()
                    break
    if kill_at is None and worker.returncode:
        raise SystemExit(f"the worker ended with {worker.returncode}; run {' '.join(command)} to see why")
    return reached, steps
