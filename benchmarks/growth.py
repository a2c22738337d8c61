"""What a process holds (memory, open files, threads) sampled over its life, and how fast that grows."""

from __future__ import annotations

import dataclasses
import os
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Of each measure its title and what is typical of many samples. Memory comes and goes slowly, so its peak is. A file may be
# open in the one sample that meets its writing: it is held only if most samples have it.
MEASURES = {
    "MiB": ("resident memory", max),
    "files": ("open files", statistics.median),
    "threads": ("threads", statistics.median),
}
ROUNDS = 2_000  # of the bootstrap
MOST_GROWTH = 1.01  # from one third of a worker's work to the next
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a process held at a moment.

    Attributes:
        age: seconds since its life began, or the phase of it that is looked at.
        work: seconds of a core that it has used since then; they tell on a busy machine too when it has settled.
    """

    age: float
    work: float
    MiB: float
    files: int
    threads: int


def read_sample(pid: int) -> tuple[str, Sample] | None:
    """Returns when a process was started, and what it holds, with age and work since its start; None if it has gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    if "VmRSS" not in fields:  # it is ending
        return None
    work = (int(stat[11]) + int(stat[12])) / TICKS
    mebibytes = int(fields["VmRSS"].split()[0]) / 1024
    held = Sample(age=time.monotonic(), work=work, MiB=mebibytes, files=files, threads=int(fields["Threads"]))
    return stat[19], held


class Sampler:
    """The samples of processes of one kind, by process and phase: what it compiles for a phase stays in its memory."""

    def __init__(self) -> None:
        self.samples: dict[tuple[int, str, str], list[Sample]] = {}
        self._begun: dict[tuple[int, str, str], Sample] = {}

    def sample(self, pid: int, phase: str = "") -> float:
        """Adds a sample of a process; returns its work in this phase, 0 if it has gone."""
        found = read_sample(pid)
        if found is None:
            return 0.0
        started, held = found
        key = (pid, started, phase)
        begun = self._begun.setdefault(key, held)
        since = dataclasses.replace(held, age=held.age - begun.age, work=held.work - begun.work)
        self.samples.setdefault(key, []).append(since)
        return since.work


def typical_thirds(samples: Sequence[Sample], measure: str) -> tuple[float, float, float]:
    """Returns in each third of a process's work the peak of its memory, or the median of what else it holds."""
    (_, typical), whole = MEASURES[measure], samples[-1].work
    thirds: tuple[list[float], ...] = ([], [], [])
    for sample in samples:
        thirds[min(int(3 * sample.work / whole), 2)].append(getattr(sample, measure))
    first, second, last = (float(typical(values or [0.0])) for values in thirds)
    return first, second, last


@dataclass(frozen=True, kw_only=True)
class Slope:
    """The growth of one measure in processes of one kind.

    Attributes:
        per_hour: of the measure's unit.
        low, high: the 95 % interval, by a bootstrap over the phases.
        mean: of the measure.
        phases: how many lasted long enough.
    """

    per_hour: float
    low: float
    high: float
    mean: float
    phases: int

    @property
    def is_flat(self) -> bool:
        """Whether no growth is shown, or less than a hundredth of the whole in an hour."""
        return self.low <= max(0.01 * self.mean, 0.0)


def grow_rates(samples: Mapping[object, Sequence[Sample]], measure: str, young: float) -> Slope | None:
    """Returns how fast a measure grows within phases; None if none lasted long enough.

    All phases have one slope and each its own level, so that each is compared with itself.

    Args:
        young: seconds of work with which a phase begins that are not counted: it imports, loads data and compiles.
    """
    series = [np.array([(s.age, getattr(s, measure)) for s in own if s.work >= young]) for own in samples.values()]
    series = [s for s in series if len(s) >= 10]
    if not series:
        return None
    centred = [s - s.mean(axis=0) for s in series]
    parts = np.array([((c[:, 0] * c[:, 1]).sum(), (c[:, 0] ** 2).sum()) for c in centred])
    lots = random.Random(0)
    drawn = [parts[lots.choices(range(len(parts)), k=len(parts))].sum(axis=0) for _ in range(ROUNDS)]
    rates = sorted(3600 * xy / xx for xy, xx in drawn)
    xy, xx = parts.sum(axis=0)
    return Slope(
        per_hour=3600 * xy / xx,
        low=rates[ROUNDS // 40],
        high=rates[-ROUNDS // 40],
        mean=float(np.concatenate(series)[:, 1].mean()),
        phases=len(series),
    )


def print_growth(launchers: Sampler, workers: Sampler, alone: Sequence[Sample]) -> bool:
    """Prints a line for each measure of each kind of process; returns whether all are flat.

    Args:
        launchers, workers: under kills.
        alone: of a worker that nobody disturbed.
    """
    flat = True
    print(f"{'process':9} {'measure':16} {'mean':>8} {'per hour':>10} {'95 % interval':>22} {'phases':>6}")
    for measure, (title, _) in MEASURES.items():
        slope = grow_rates(launchers.samples, measure, 0.0)
        if slope is None:
            print(f"launcher  {title:16} nothing lasted long enough")
            continue
        interval, verdict = f"{slope.low:+.2f} to {slope.high:+.2f}", "flat" if slope.is_flat else "GROWS"
        print(
            f"launcher  {title:16} {slope.mean:8.1f} {slope.per_hour:+10.2f} {interval:>22} {slope.phases:6} {verdict}"
        )
        flat &= slope.is_flat
    print(f"{'process':9} {'measure':16} {'under kills':>12} {'undisturbed, in each third of its work':>40}")
    for measure, (title, _) in MEASURES.items():
        thirds = typical_thirds(alone, measure)
        most = max(getattr(s, measure) for own in workers.samples.values() for s in own)
        is_flat = thirds[2] <= MOST_GROWTH * thirds[1]
        levels = ", ".join(f"{level:.1f}" for level in thirds)
        print(f"worker    {title:16} {most:12.1f} {levels:>40} {'flat' if is_flat else 'GROWS'}")
        flat &= is_flat
    return flat
