"""The costs of a cell beside its training: checkpoints, the start of a warm worker's next cell, and peak memory.

    python -m benchmarks.overheads [--dataset digits|mnist] [--checkpoint-seconds 60]

Real workers train in a temporary store; mnist needs DATASETS_DIR or the internet.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from experiment import keys, records, results
from experiment.cell import Cell
from experiment.grid import Grid
from experiment.keys import run_url
from experiment.records import Outcome
from experiment.run import Run
from experiment.store import Store, open_store

RUN = "overheads"


def freeze_run(store: Store, dataset: str) -> tuple[Cell, ...]:
    """Puts a run of two cells that differ only in alpha into the store, and prepares its data set; returns the cells."""
    from trainer.datasets import prepare_dataset

    cells = tuple(Cell(dataset=dataset, method="l2", alpha=a, epochs=1) for a in (0.1, 0.01))
    prepare_dataset(dataset, store)
    store.put_once(keys.grid(RUN), Run(name=RUN, grid=Grid(name=RUN, cells=cells)).to_bytes(), RUN)
    return cells


def first_step_seconds(store: Store) -> list[float]:
    """Returns, for each cell of one worker, the seconds from its index to its first steps; the first includes the imports."""
    command = [sys.executable, "-m", "trainer", "--run", run_url(store.url, RUN), "--indexes", "-"]
    confined = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
    waits = []
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **confined},
    ) as worker:
        for index in range(2):
            started, shown = time.perf_counter(), False
            worker.stdin.write(f"{index}\n")
            worker.stdin.flush()
            while not isinstance(record := records.parse_record(worker.stdout.readline(), "worker"), Outcome):
                if not shown:
                    waits.append(time.perf_counter() - started)
                    shown = True
            assert record.state == "committed", record
        worker.stdin.write("quit\n")
        worker.stdin.flush()
    return waits


def checkpoint_seconds(store: Store, cell: Cell) -> float:
    """Returns the median seconds of a checkpoint of the cell, from reading the state to removing the older checkpoint."""
    from trainer import checkpoint
    from trainer.model import device
    from trainer.model.program import Program, program_signature
    from trainer.model.types import Snapshot

    program = Program(program_signature(cell, "float32"), jit=device.prepare_device())
    program.begin(0)
    figures = [[{"test_error": 0.1, "train_error": 0.1, "seconds": 1.0}] * 3] * 30
    times = []
    for step in range(1, 12):
        started = time.perf_counter()
        checkpoint.write_checkpoint(
            store, cell.id, Snapshot(step=step, arithmetic="float32", arrays=program.state, figures=figures)
        )
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> int:
    """Measures the costs and prints them; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="digits", choices=["digits", "mnist", "cifar10"])
    parser.add_argument("--checkpoint-seconds", type=float, default=60.0, help="time between two checkpoints")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        cells = freeze_run(store, given.dataset)
        cold, warm = first_step_seconds(store)
        print(f"first steps of a worker's first cell after {cold:.1f} s, of its second after {warm:.2f} s")
        table = results.from_bytes(store.read(keys.epochs(cells[1])), "epochs", "epochs")
        peak = results.read_provenance(table.schema, "epochs")["peak_memory_bytes"]
        print(f"peak memory of the worker: {peak / 1e9:.2f} GB")
        seconds = checkpoint_seconds(store, cells[0])
        share = 100 * seconds / given.checkpoint_seconds
        print(f"a checkpoint takes {1000 * seconds:.0f} ms: {share:.3f} % of the time between two")
    return 0


if __name__ == "__main__":
    sys.exit(main())
