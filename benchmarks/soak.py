"""A soak: a grid trained again and again by real workers while launcher and workers are killed at random.

    python -m benchmarks.soak [--minutes 20] [--grid GRID] [--seeds 20] [--workers 2] [--every 120] [--seed 0] [--long 300]

Memory, open files and threads are sampled each second. Of the launcher they are printed as slopes per hour with 95 %
intervals, once a worker has settled. A worker's memory fills its pools for its first twenty cells and then goes up and down by
2 %, so a slope over minutes tells nothing: one worker trains ``--long`` cells of one method undisturbed, and the peak of its
memory and the median of its files and threads in the last third are compared with those of the third before. After the
kills the run is completed and each cell compared, bit for bit, with one that was not killed. A grid that ends before the
time is over is begun again in a new store. Ends with 1 if something grows or differs.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.growth import Sample, Sampler, print_growth
from experiment import keys
from experiment.cell import Cell
from experiment.grid import load_grid
from experiment.store import LocalStore
from trainer.verify_resume import differing_columns

CHECKPOINT_SECONDS = "5"
GRID = str(Path(__file__).with_name("soak.toml"))
MOST_FAILED = 3
LONG = "method=l2"  # the cells of the worker that is not disturbed


def start_launcher(
    store: LocalStore, arguments: argparse.Namespace, flags: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """Returns a launch of the grid into this store, as a user would start it; ``flags`` outrank those of the soak."""
    grid = ["--grid", arguments.grid, "--seeds", str(arguments.seeds), "--workers", str(arguments.workers)]
    command = [sys.executable, "-m", "k8s.launch", *grid, "--executor", "local"]
    with (store.root / "launch.log").open("ab") as log:
        return subprocess.Popen(
            [*command, *flags, "--store", str(store.root)],
            env={**os.environ, "CHECKPOINT_SECONDS": CHECKPOINT_SECONDS},
            stdout=log,
            stderr=log,
        )


def find_workers(store: LocalStore) -> Iterator[int]:
    """Yields the pids of the trainers of this store, whoever started them."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            continue
        if f"{store.root}/" in command and "trainer" in command.split("\0"):
            yield int(process.name)


def find_method(worker: int) -> str:
    """Returns the method of the cell that a worker of this machine holds by its lock file; empty if it holds none."""
    try:
        held = [file.readlink() for file in Path(f"/proc/{worker}/fd").iterdir()]
    except OSError:
        return ""
    return next((file.name.split("-")[1] for file in held if file.suffix == ".lock"), "")


class Soak:
    """Launches, samples and kills until the time is over.

    Attributes:
        kills: how often which kind of process got which signal.
        calm: the store in which the grid was trained undisturbed.
        stores: those in which it was trained under kills.
    """

    def __init__(self, home: Path, arguments: argparse.Namespace) -> None:
        self.kills: Counter[str] = Counter()
        self.calm = LocalStore(home / "calm", create=True)
        self.stores: list[LocalStore] = []
        self.launchers, self.workers = Sampler(), Sampler()
        self._home, self._arguments, self._lots = home, arguments, random.Random(arguments.seed)
        self._failed = 0  # launches since the last kill

    def run(self) -> None:
        """Trains undisturbed, then under kills for the minutes that were asked for, then lets the last run end."""
        self._train(self.calm, time.monotonic())
        end = time.monotonic() + 60 * self._arguments.minutes
        while time.monotonic() < end:
            self.stores.append(LocalStore(self._home / f"killed-{len(self.stores)}", create=True))
            self._train(self.stores[-1], end)

    def run_long(self) -> list[Sample]:
        """Has one worker train so many cells of one method undisturbed; returns its samples."""
        store, alone = LocalStore(self._home / "long", create=True), Sampler()
        seeds = -(-self._arguments.long // len(load_grid(self._arguments.grid).only([LONG]).cells))
        launcher = start_launcher(store, self._arguments, ("--only", LONG, "--seeds", str(seeds), "--workers", "1"))
        while launcher.poll() is None:
            for worker in find_workers(store):
                if find_method(worker):
                    alone.sample(worker)
            time.sleep(1)
        if launcher.returncode:
            raise SystemExit(
                f"error: the launch of {LONG} ended with {launcher.returncode}; see {store.root}/launch.log"
            )
        return max(alone.samples.values(), key=len)

    def _train(self, store: LocalStore, end: float) -> None:
        """Launches until the run is complete; kills until ``end``."""
        launcher = start_launcher(store, self._arguments)
        due = self._next_kill()
        while True:
            time.sleep(1)
            workers = sorted(find_workers(store))
            self._sample(launcher.pid, workers)
            if launcher.poll() == 0:
                return
            if launcher.returncode is not None:
                self._check_launches(store)
                launcher = start_launcher(store, self._arguments)
            elif due <= time.monotonic() < end:
                self._kill([("launcher", launcher.pid), *(("worker", pid) for pid in workers)])
                due = self._next_kill()

    def _sample(self, launcher: int, workers: Sequence[int]) -> None:
        """Samples the workers at work, and the launcher once one of them has settled."""
        methods = {pid: find_method(pid) for pid in workers}
        work = [self.workers.sample(pid, method) for pid, method in methods.items() if method]
        if any(done >= self._arguments.young for done in work):
            self.launchers.sample(launcher)

    def _next_kill(self) -> float:
        return time.monotonic() + self._lots.expovariate(1 / self._arguments.every)

    def _kill(self, processes: list[tuple[str, int]]) -> None:
        kind, pid = self._lots.choice(processes)
        sent = self._lots.choice((signal.SIGKILL, signal.SIGTERM))
        try:
            os.kill(pid, sent)
        except ProcessLookupError:
            return
        self.kills[f"{kind} {sent.name}"] += 1
        self._failed = 0

    def _check_launches(self, store: LocalStore) -> None:
        self._failed += 1
        if self._failed > MOST_FAILED:
            said = (store.root / "launch.log").read_text()[-2000:]
            raise SystemExit(f"error: {self._failed} launches in a row ended without a report:\n{said}")


def find_differences(soak: Soak, cells: Sequence[Cell]) -> list[str]:
    """Returns what differs between the runs that were killed and the one that was not, one line each."""
    found = []
    for store in soak.stores:
        for cell in cells:
            columns = differing_columns(cell, soak.calm, store)
            found += [f"{store.root.name}: {cell.id}: {', '.join(columns)}"] if columns else []
        found += [f"{store.root.name}: {key} was left" for key in store.find([keys.CHECKPOINTS, keys.PROGRESS])]
    return found


def main() -> int:
    """Soaks and prints; returns 1 if something grows or differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="of kills (default: %(default)s)")
    parser.add_argument("--grid", default=GRID, help="by default the demo's ensembles with fewer epochs")
    parser.add_argument(
        "--seeds", type=int, default=20, help="of the grid, so that workers live long enough to be seen"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=float, default=120, metavar="SECONDS", help="between two kills, on average")
    parser.add_argument(
        "--young", type=float, default=60, metavar="SECONDS", help="of a core, until a worker has settled"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the kills")
    parser.add_argument("--long", type=int, default=300, metavar="CELLS", help="of one worker undisturbed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        soak = Soak(home, arguments)
        soak.run()
        flat = print_growth(soak.launchers, soak.workers, soak.run_long())
        cells = load_grid(arguments.grid).with_seeds(arguments.seeds).cells
        differences = find_differences(soak, cells)
    print(f"kills: {', '.join(f'{count} {what}' for what, count in sorted(soak.kills.items())) or 'none'}")
    print(*differences or [f"{len(soak.stores)} runs of {len(cells)} cells under kills: bit-identical"], sep="\n")
    return 0 if flat and not differences else 1


if __name__ == "__main__":
    raise SystemExit(main())
