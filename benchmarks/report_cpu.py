"""CPU seconds of whole reports: of the demo grid, and of 195 cells (three data sets, 13 ensembles, 5 seeds).

    python -m benchmarks.report_cpu [--seeds 5]

The results are made by the tests' own writers, with predictions, and the report is a process of its own. User and system time
of it and of its threads count; the second column is a fixed loop of Python, by which machines and moments can be compared.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiment import urls
from experiment.grid import load_grid
from tests.aggregator import factories

MODELS = {"ST": 0.08, "M": 0.06, "Ens": 0.05}


def made_error(cell, model):
    """An error that differs a little from seed to seed."""
    return MODELS[model] * (1 + 0.02 * (sum(map(ord, cell.id + model)) % 7))


def time_loop() -> float:
    """Returns the CPU seconds of a fixed loop."""
    start = time.process_time()
    total = 0
    for i in range(3_000_000):
        total += i * i % 7
    return time.process_time() - start


def time_report(url: str) -> float:
    """Returns the CPU seconds of the report of a run."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "aggregator", "--run", urls.run_url(url, factories.RUN), "--out", out]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"error: the report failed with status {status}")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measures and prints."""
    p = argparse.ArgumentParser(description="CPU seconds of whole reports.")
    p.add_argument("--seeds", type=int, default=5, help="of the full grid (default: %(default)s)")
    a = p.parse_args()
    print(f"{'cells':>5} {'CPU s':>6} {'loop s':>6}")
    for cells in (load_grid("demo").cells, load_grid("full").with_seeds(a.seeds).cells):
        with tempfile.TemporaryDirectory() as place:
            store = factories.committed_store(Path(place) / "s", cells=cells, error=made_error)
            print(f"{len(cells):5} {time_report(store.url):6.1f} {time_loop():6.2f}", flush=True)


if __name__ == "__main__":
    main()
