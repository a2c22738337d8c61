"""The costs of a cell beside its training: checkpoints, the start of a warm worker's next cell, peak memory, and a pod's start.

    python -m benchmarks.overheads [--dataset digits|mnist] [--checkpoint-seconds 60] [--cells-per-pod 1 4]

Real workers train in a temporary store; mnist needs DATASETS_DIR or the internet. With --cells-per-pod it measures only this:
the seconds that a pod's program takes for each of its cells beside steady epochs, with so many cells a pod: start, imports,
data, compilation, commit and end. A pod is the trainer's process here, without a container, its image and its node.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from experiment import keys, records, results
from experiment.assignment import Assignment
from experiment.cell import Cell
from experiment.grid import Grid
from experiment.places import THREADS
from experiment.provenance import read_provenance
from experiment.records import Outcome
from experiment.run import Run
from experiment.store import Store, open_store
from experiment.urls import run_url

RUN, PODS = "overheads", "pods"
EPOCHS = 3
CONFINED = dict.fromkeys(THREADS, "1")


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
    waits = []
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **CONFINED},
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


def pod_seconds(store: Store, dataset: str, cells_per_pod: int, cells: int) -> tuple[float, float]:
    """Returns, for each of ``cells`` cells in pods of so many, the seconds beside its epochs, and processor seconds in all.

    An epoch counts as long as the cell's last one. On a busy machine only the processor's seconds can be compared.
    """
    from trainer.datasets import prepare_dataset

    name = f"{PODS}-{cells_per_pod}"
    prepare_dataset(dataset, store)
    own = tuple(Cell(dataset=dataset, method="l2", alpha=0.1, epochs=EPOCHS, seed=s) for s in range(cells))
    store.put_once(keys.grid(name), Run(name=name, grid=Grid(name=name, cells=own)).to_bytes(), name)
    sizes = () if cells_per_pod == 1 else (cells_per_pod,) * (cells // cells_per_pod)
    groups = Assignment(run=name, job=name, indexes=tuple(range(cells)), sizes=sizes)
    store.put_once(keys.assignment(name, name), groups.to_bytes(), name)
    command = [sys.executable, "-m", "trainer", "--run", run_url(store.url, name), "--job", name]
    command += ["--workers", "1"] if sizes else []
    began, before = time.perf_counter(), _children_seconds()
    for index in range(len(groups.groups)):
        environ = {**os.environ, **CONFINED, "ATTEMPT": f"pod-{index}", "JOB_UID": name}
        subprocess.run([*command, "--index", str(index)], env=environ, capture_output=True, check=True)
    took = time.perf_counter() - began
    tables = [results.from_bytes(store.read(keys.epochs(c)), "epochs", "epochs").to_pylist() for c in own]
    last = [next(r["seconds"] for r in rows if r["epoch"] == EPOCHS) for rows in tables]
    return (took - EPOCHS * sum(last)) / cells, (_children_seconds() - before) / cells


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def checkpoint_seconds(store: Store, cell: Cell) -> float:
    """Returns the median seconds of a checkpoint of the cell, from reading the state to removing the older checkpoint."""
    from trainer import checkpoint
    from trainer.model import device
    from trainer.model.program import Program
    from trainer.model.signature import program_signature
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
    parser.add_argument("--cells-per-pod", type=int, nargs="+", metavar="N", help="measure pods of so many cells")
    given = parser.parse_args()
    for number in given.cells_per_pod or ():
        with tempfile.TemporaryDirectory() as folder:
            count = max(given.cells_per_pod)
            beside, used = pod_seconds(open_store(folder), given.dataset, number, count - count % number)
            what = f"a cell takes {beside:.1f} s beside its epochs, and {used:.1f} s of processors in all"
            print(f"{number} cells a pod: {what}", flush=True)
    if given.cells_per_pod:
        return 0
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        cells = freeze_run(store, given.dataset)
        cold, warm = first_step_seconds(store)
        print(f"first steps of a worker's first cell after {cold:.1f} s, of its second after {warm:.2f} s")
        table = results.from_bytes(store.read(keys.epochs(cells[1])), "epochs", "epochs")
        peak = read_provenance(table.schema, "epochs")["peak_memory_bytes"]
        print(f"peak memory of the worker: {peak / 1e9:.2f} GB")
        seconds = checkpoint_seconds(store, cells[0])
        share = 100 * seconds / given.checkpoint_seconds
        print(f"a checkpoint takes {1000 * seconds:.0f} ms: {share:.3f} % of the time between two")
    return 0


if __name__ == "__main__":
    sys.exit(main())
