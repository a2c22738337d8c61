"""Scale of aggregation: made runs of 100, 1,000 and 10,000 cells, loading beside DuckDB's scan, then the whole report.

    python -m benchmarks.aggregate [--cells 100 1000 10000] [--load-only] [--store DIRECTORY or s3://BUCKET/PREFIX [--delay MS]]

Each cell's file is made by the trainer's own writer: 30 epochs of 3 models. Loading and scanning alternate and the
fastest of three counts, in seconds and in seconds of processor time, which other work on the machine changes less. The report is timed as a process of its own, from its start to its end. On S3 DuckDB would have
to download an extension, so reading with one thread is compared with as many threads as ``load`` uses, on the first
1,000 results at most. ``--delay`` delays each request, as the way to a distant server does.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np

from aggregator import load
from aggregator.reading.epochs import read_epochs
from benchmarks.distant import distant_server
from experiment import keys, results, urls
from experiment.cell import Cell
from experiment.grid import Grid, load_grid
from experiment.run import Run
from experiment.store import Store, open_store

ROUNDS = 3
TEST_EXAMPLES = 10_000
READERS_CELLS = 1_000  # enough for a ratio
PROVENANCE = {
    "attempt": "benchmark",
    "numerics": 1,
    "git_commit": "",
    "image": "",
    "device": "made",
    "arithmetic": "float32",
    "packages": {},
    "dataset_sha256": "",
    "deterministic": True,
    "started": "",
    "ended": "",
    "resumed_from_step": 0,
    "training_seconds": 600.0,
    "peak_memory_bytes": 0,
}


def full_grid_cells(count: int) -> Iterator[Cell]:
    """Yields that many cells of the full grid, seed after seed, all of 30 epochs."""
    seed = 0
    made = 0
    while made < count:
        for cell in load_grid("full").cells[: count - made]:
            yield Cell.from_dict({**cell.as_dict(), "seed": seed, "epochs": 30})
            made += 1
        seed += 1


def commit_result(store: Store, cell: Cell, random: np.random.Generator) -> None:
    """Writes a result whose figures no dictionary can shorten."""
    rows = cell.epochs * len(cell.models)
    columns = {n: random.random(rows) for n in results.EPOCH_COLUMNS}
    columns["model"] = np.repeat(np.array(cell.models, object), cell.epochs)
    columns["test_error"] = random.integers(0, TEST_EXAMPLES + 1, rows) / TEST_EXAMPLES
    columns["test_cost"] += columns["test_cross_entropy"]  # as rows are checked
    columns["epoch"] = np.tile(np.arange(1, cell.epochs + 1), len(cell.models))
    values = results.cell_values(cell, train_examples=50_000, test_examples=TEST_EXAMPLES)
    table = results.to_table("epochs", {**results.repeat_values(values, rows), **columns}, PROVENANCE)
    path, data = store.local_path(keys.epochs(cell)), results.to_bytes(table)
    if path is None:
        store.put(keys.epochs(cell), data)
    else:  # a store makes each file durable, which is no part of what is measured here
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def make_run(url: str, count: int) -> None:
    """Makes a store with a run named ``benchmark`` of that many cells, all done."""
    store = open_store(url, create=True)
    grid = Grid(name="benchmark", cells=tuple(full_grid_cells(count)))
    store.put(keys.grid("benchmark"), Run(name="benchmark", grid=grid).to_bytes())
    random = np.random.default_rng(0)
    for cell in grid.cells:
        commit_result(store, cell, random)


class Times(NamedTuple):
    """Seconds that a call took: by the clock, and of processor time in all threads of this process."""

    wall: float
    processor: float


def time_call(function: Callable[[], object]) -> Times:
    """Returns how long one call takes."""
    wall, processor = time.perf_counter(), time.process_time()
    function()
    return Times(time.perf_counter() - wall, time.process_time() - processor)


def divide(long: Times, short: Times) -> Times:
    """Returns how many times as long one call takes as another."""
    return Times(long.wall / short.wall, long.processor / short.processor)


def take_fastest(calls: Iterable[Times]) -> Times:
    """Returns the smallest of either time."""
    return Times(*map(min, zip(*calls, strict=True)))


def time_report(url: str) -> tuple[float, float]:
    """Returns (seconds, GiB at most) of the whole report as a process of its own."""
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "aggregator", "--run", urls.run_url(url, "benchmark"), "--out", out],
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"error: the report failed with status {status}")
        return time.perf_counter() - start, usage.ru_maxrss / 2**20


def compare_with_duckdb(url: str) -> tuple[Times, Times, Times]:
    """Returns the times of ``load`` and of DuckDB's scan of the same files, and how many times as long ``load`` takes."""
    query = f"select * from read_parquet('{url}/results/*/*/*/epochs.parquet')"
    scans, loads = [], []
    for _ in range(ROUNDS):
        scans.append(time_call(lambda: duckdb.sql(query).to_arrow_table()))
        loads.append(time_call(lambda: load(url)))
    loading, scan = take_fastest(loads), take_fastest(scans)
    return loading, scan, divide(loading, scan)


def compare_with_one_reader(url: str) -> tuple[Times, Times, Times]:
    """Returns the times of ``load``, of one thread for the first results, and the ratio of one thread to all of them."""
    loading = take_fastest(time_call(lambda: load(url)) for _ in range(ROUNDS))
    store = open_store(url)  # a new one: behind the delay
    found = sorted(k for k in store.list(keys.RESULTS) if keys.committed([k]))[:READERS_CELLS]
    one = time_call(lambda: read_epochs(store, found, threads=1))
    return loading, one, divide(one, take_fastest(time_call(lambda: read_epochs(store, found)) for _ in range(ROUNDS)))


def measure_scale(url: str, count: int, delay: float, *, with_report: bool) -> str:
    """Returns one line of the table."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:  # leaves no heap of 10,000 writes behind
        other.submit(make_run, url, count).result()
    store = open_store(url)
    local = store.local_path("") is not None
    with distant_server(delay):
        loading, beside, ratio = (compare_with_duckdb if local else compare_with_one_reader)(store.url)
        wall, memory = time_report(store.url) if with_report else (float("nan"), float("nan"))
    each = Times(*(1000 * t / count for t in loading))
    return (
        f"{count:7,} {loading.wall:8.2f} {beside.wall:10.2f} {ratio.wall:6.2f} {ratio.processor:6.2f} "
        f"{each.wall:8.2f} {each.processor:8.2f} {wall:9.1f} {memory:8.2f}"
    )


def main() -> None:
    """Measures and prints."""
    p = argparse.ArgumentParser(description="Scale of loading and reporting.")
    p.add_argument("--cells", type=int, nargs="+", default=[100, 1_000, 10_000])
    p.add_argument("--store", help="directory or s3:// URL to make the runs under (default: a temporary directory)")
    p.add_argument("--delay", type=float, default=0, metavar="MS", help="of each request to S3 (default: %(default)s)")
    p.add_argument("--load-only", action="store_true", help="do not make the reports")
    a = p.parse_args()
    other, ratio = ("1 reader s", "gain") if (a.store or "").startswith("s3://") else ("DuckDB s", "ratio")
    print(
        f"{'cells':>7} {'load s':>8} {other:>10} {ratio:>6} {'of CPU':>6} "
        f"{'ms/cell':>8} {'CPU ms':>8} {'report s':>9} {'peak GiB':>8}"
    )
    with tempfile.TemporaryDirectory() as own:
        for count in a.cells:
            url = f"{(a.store or str(Path(own))).rstrip('/')}/{count}"
            print(measure_scale(url, count, a.delay / 1000, with_report=not a.load_only), flush=True)


if __name__ == "__main__":
    main()
