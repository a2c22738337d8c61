"""``python -m trainer --verify-resume``: shows on this machine that a cell killed and resumed ends bit-identical."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa

from experiment import artifacts, keys, records, results, urls
from experiment.cell import Cell
from experiment.grid import Grid
from experiment.provenance import read_provenance
from experiment.records import Progress
from experiment.run import Run
from experiment.store import Store, open_store
from trainer.datasets import prepare_dataset

RUN_NAME = "verify-resume"
CELL = Cell(dataset="digits", method="l2", alpha=0.01, epochs=12)
TIMINGS = ("seconds", "images_per_second", "training_seconds")  # the columns that may differ
KILLS = 4


def verify_resume(cell: Cell = CELL, kills: int = KILLS) -> int:
    """Trains the cell undisturbed, then again under SIGKILL at random steps; returns 0 if no bit of the results differs."""
    with tempfile.TemporaryDirectory() as folder:
        undisturbed, killed = (_store_with_run(Path(folder) / name, cell) for name in ("undisturbed", "killed"))
        _, steps = _train(undisturbed, None)
        print(f"{cell.id}: {steps} steps undisturbed")
        for number in range(kills):
            kill_at = random.randrange(steps * number // kills, steps * (number + 1) // kills)
            reached, _ = _train(killed, kill_at)
            print(f"killed with SIGKILL at step {reached}" if reached < steps else "finished before it could be killed")
        _train(killed, None)
        differing = differing_columns(cell, undisturbed, killed)
    print(f"differs: {', '.join(differing)}" if differing else "resumed and undisturbed results are bit-identical")
    return 1 if differing else 0


def differing_columns(cell: Cell, one: Store, other: Store) -> list[str]:
    """Returns the columns in which a cell's results differ between two stores, without timings; NaN equals NaN."""
    found = []
    for first, second in zip(_read_tables(cell, one), _read_tables(cell, other), strict=True):
        compared = [column for column in first.column_names if column not in TIMINGS]
        found += [c for c in compared if results.column_bits(first[c]) != results.column_bits(second[c])]
    return found


def _read_tables(cell: Cell, store: Store) -> tuple[pa.Table, pa.Table]:
    """Returns a cell's epochs and the predictions that belong to them."""
    key = keys.epochs(cell)
    epochs = results.from_bytes(store.read(key), "epochs", key)
    data, source = artifacts.read_named(store, read_provenance(epochs.schema, key), keys.predictions(cell), key)
    return epochs, results.from_bytes(data, "predictions", source)


def _store_with_run(folder: Path, cell: Cell) -> Store:
    store = open_store(str(folder), create=True)
    prepare_dataset(cell.dataset, store)
    run = Run(name=RUN_NAME, grid=Grid(name="verify", cells=(cell,)))
    store.put_once(keys.grid(RUN_NAME), run.to_bytes(), "verify")
    return store


def _train(store: Store, kill_at: int | None) -> tuple[int, int]:
    """Runs a worker until it finishes or shows step ``kill_at`` and is killed; returns (last step shown, steps in all)."""
    command = [sys.executable, "-m", "trainer", "--run", urls.run_url(store.url, RUN_NAME), "--indexes", "-"]
    environ = {**os.environ, "CHECKPOINT_SECONDS": "0"}  # a checkpoint whenever there can be one
    reached = steps = 0
    with subprocess.Popen(
        command, text=True, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as worker:
        assert worker.stdin and worker.stdout
        try:
            worker.stdin.write("0\nquit\n")
            worker.stdin.flush()
            for line in worker.stdout:
                record = records.parse_record(line, "the worker's output")
                if isinstance(record, Progress):
                    reached, steps = record.step, record.steps
                if kill_at is not None and reached >= kill_at and steps:
                    worker.kill()
        except BaseException:  # told to stop
            worker.kill()
            raise
    if kill_at is None and worker.returncode:
        raise SystemExit(f"the worker ended with {worker.returncode}; run {' '.join(command)} to see why")
    return reached, steps
