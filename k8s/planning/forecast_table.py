"""The forecast of a launch in lines: its Jobs as a table, what the figures rest on, and which types of GPU would do better."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from experiment.records import Throughput
from k8s.planning.forecast import JobForecast, forecast_job
from k8s.planning.gpu_types import CPU, GpuType
from k8s.planning.work import Device, Work
from k8s.wording import format_duration

SPOT = "spot"  # in any case: what each cloud's label says of a node that it may take back


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What all Jobs of a launch would take on one type of GPU, or on CPUs: dollars, and hours until the last one ends."""

    kind: str
    dollars: float
    hours: float

    def __str__(self) -> str:
        name = "CPUs" if self.kind == CPU else self.kind
        return f"{name} (${self.dollars:.2f}, {format_duration(self.hours * 3600)})"


def format_forecast(jobs: Sequence[JobForecast]) -> list[str]:
    """Returns the forecast as a table for people, and where its figures come from."""
    if not jobs:
        return []
    rows = (*jobs, add_up(jobs))
    columns = [(title, [show(row) for row in rows]) for title, show in _columns(jobs)]
    wide = [max(len(title), *map(len, cells)) for title, cells in columns]
    lines = [[title for title, _ in columns], *([cells[i] for _, cells in columns] for i in range(len(rows)))]
    table = ["  ".join([f"{line[0]:{wide[0]}}", *map(str.rjust, line[1:], wide[1:])]) for line in lines]
    basis = sorted(set().union(*(j.basis for j in jobs)))
    notes = [
        "start: minutes of all pods together for node, image, data and compilation, a guess, counted in the hours",
        f"time: once the cloud gives these nodes; it rests on: {'; '.join(basis)}",
        "prices: approximate, from the table of GPU types",
    ]
    return [*table, "; ".join(notes)]


def _columns(jobs: Sequence[JobForecast]) -> list[tuple[str, Callable[[JobForecast], str]]]:
    """Returns title and content of each column; hours of GPUs or CPU pods only where there are any."""
    on_gpus, on_cpus = any(j.gpus for j in jobs), any(not j.gpus for j in jobs)
    found: list[tuple[str, Callable[[JobForecast], str], bool]] = [
        ("job", lambda j: j.job, True),
        ("cells", lambda j: str(j.cells), True),
        ("at once", lambda j: str(j.at_once), True),
        ("GPUs", lambda j: str(j.gpus), on_gpus),
        ("start", lambda j: f"{j.start_minutes:.0f}", True),
        ("GPU-hours", lambda j: f"{j.gpu_hours:.1f}", on_gpus),
        ("CPU-pod-hours", lambda j: f"{j.cpu_hours:.1f}", on_cpus),
        ("time", lambda j: format_duration(j.hours * 3600), True),
        ("$ on demand", lambda j: f"{j.dollars:.2f}", True),
        ("$ spot", lambda j: f"{j.dollars_spot:.2f}", True),
    ]
    return [(title, show) for title, show, wanted in found if wanted]


def add_up(jobs: Sequence[JobForecast]) -> JobForecast:
    """Returns the forecast of Jobs that run at the same time, as far as none comes after another, as one."""
    ends: dict[str, float] = {}
    for job in jobs:
        ends[job.job] = ends.get(job.after, 0.0) + job.hours
    return JobForecast(
        job="together",
        cells=sum(j.cells for j in jobs),
        at_once=sum(j.at_once for j in jobs),
        gpus=sum(j.gpus for j in jobs),
        start_minutes=sum(j.start_minutes for j in jobs),
        gpu_hours=sum(j.gpu_hours for j in jobs),
        cpu_hours=sum(j.cpu_hours for j in jobs),
        hours=max(ends.values(), default=0.0),
        dollars=sum(j.dollars for j in jobs),
        dollars_spot=sum(j.dollars_spot for j in jobs),
    )


def choose_dollars(together: JobForecast, capacity: str) -> float:
    """Returns what a launch on nodes of this capacity costs; of either capacity at the price on demand, the higher one."""
    return together.dollars_spot if is_spot(capacity) else together.dollars


def is_spot(capacity: str) -> bool:
    """Returns whether nodes of this capacity are ones that the cloud may take back."""
    return capacity.lower() == SPOT


def make_offers(
    works: Sequence[Work], table: Mapping[str, GpuType], measured: Sequence[Throughput], capacity: str
) -> list[Offer]:
    """Returns what the same Jobs, with as many cells at once, take on each type that the table offers, CPUs among them."""
    offers = []
    for kind, row in table.items():
        if row.offered:
            moved = [dataclasses.replace(w, device=_whole(kind, w.device)) for w in works]
            together = add_up([forecast_job(w, table, measured) for w in moved])
            offers.append(Offer(kind=kind, dollars=choose_dollars(together, capacity), hours=together.hours))
    return offers


def _whole(kind: str, now: Device) -> Device:
    return Device(kind=kind, gpus=0 if kind == CPU else max(now.gpus, 1))


def describe_offers(offers: Sequence[Offer], capacity: str) -> list[str]:
    """Returns in a line which type would be cheapest, which fastest, and what CPUs would take."""
    if not offers:
        return []
    cheapest = min(offers, key=lambda o: (o.dollars, o.hours))
    fastest = min(offers, key=lambda o: (o.hours, o.dollars))
    how = "spot" if is_spot(capacity) else "on demand"
    on_cpus = "".join(f"; {o}" for o in offers if o.kind == CPU and o not in (cheapest, fastest))
    best = f"cheapest {cheapest}, fastest {fastest}{on_cpus}"
    return [f"of all types in the table, {how} and as many cells at once: {best}"]
