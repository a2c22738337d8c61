"""The forecast in lines: columns that fit the Jobs, and the types of GPU that would do better."""

from __future__ import annotations

import dataclasses

import pytest

from experiment.cell import Cell
from k8s.planning import forecast_table
from k8s.planning.forecast import JobForecast
from k8s.planning.gpu_types import load_gpu_types
from k8s.planning.work import Device, Work

TABLE = load_gpu_types()
ON_GPUS = JobForecast(
    job="a",
    cells=6,
    at_once=4,
    gpus=4,
    start_minutes=22,
    gpu_hours=3.25,
    cpu_hours=0,
    hours=1.5,
    dollars=1.7,
    dollars_spot=0.65,
    basis=frozenset({"a guess"}),
)
ON_CPUS = dataclasses.replace(ON_GPUS, job="b-long", gpus=0, gpu_hours=0, cpu_hours=9.0, hours=2, dollars=2.0)


def columns(line):
    return line.split("  ")[0].strip(), [part.strip() for part in line.split("  ") if part.strip()]


def test_each_column_has_its_title_and_the_last_row_is_all_jobs_together():
    head, first, _, together, notes = forecast_table.format_forecast([ON_GPUS, ON_CPUS])

    assert columns(head)[1] == [
        *("job", "cells", "at once", "GPUs", "start", "GPU-hours", "CPU-pod-hours", "time", "$ on demand", "$ spot")
    ]
    assert columns(first)[1] == ["a", "6", "4", "4", "22", "3.2", "0.0", "1 h 30 min", "1.70", "0.65"]
    assert columns(together)[1] == ["together", "12", "8", "4", "44", "3.2", "9.0", "2 h 00 min", "3.70", "1.30"]
    assert len({len(line) for line in (head, first, together)}) == 1
    assert notes.startswith("start: minutes of all pods") and "it rests on: a guess" in notes


@pytest.mark.parametrize(("job", "shown"), [(ON_GPUS, "GPU-hours"), (ON_CPUS, "CPU-pod-hours")])
def test_hours_of_what_no_job_uses_are_not_shown(job, shown):
    head = columns(forecast_table.format_forecast([job])[0])[1]

    assert [title for title in head if "hours" in title] == [shown]
    assert ("GPUs" in head) == (job is ON_GPUS)


def test_a_job_that_comes_after_another_adds_its_time_to_it():
    first, other = (dataclasses.replace(ON_GPUS, job=name, hours=hours) for name, hours in (("a", 2.0), ("b", 4.0)))
    later = dataclasses.replace(ON_GPUS, job="c", hours=3.0, after="a")

    assert forecast_table.add_up([first, other]).hours == 4.0
    assert forecast_table.add_up([first, other, later]).hours == 5.0
    assert forecast_table.add_up([]).hours == 0.0


def test_without_a_job_there_is_no_table():
    assert forecast_table.format_forecast([]) == forecast_table.describe_offers([], "") == []


def test_offers_are_of_the_same_cells_on_every_type_that_is_sold():
    works = [
        Work(
            job="j",
            cells={Cell(dataset="mnist", method="single"): 4},
            at_once=2,
            device=Device(kind="t4", gpus=2, share=0.5),
        )
    ]
    offers = {o.kind: o for o in forecast_table.make_offers(works, TABLE, [], "on-demand")}

    assert offers.keys() == TABLE.keys() - {"k80"}
    h100 = TABLE["h100"]
    seconds = 60000 * 30 / (783.4 * h100.speed)  # 30 epochs of MNIST at eleven times the published speed
    hours = (2 * h100.node_minutes + 4 * h100.cell_minutes) / 60 + 4 * seconds / 3600
    assert offers["h100"].dollars == pytest.approx(2 * hours * h100.on_demand, rel=0.01)
    assert offers["cpu"].hours > offers["t4"].hours > offers["h100"].hours


def test_the_cheapest_and_the_fastest_type_are_named_and_cpus_beside_them():
    offers = [forecast_table.Offer(kind=k, dollars=d, hours=h) for k, d, h in (("t4", 2, 1), ("h100", 9, 0.5))]
    cpus = forecast_table.Offer(kind="cpu", dollars=4, hours=3)

    (line,) = forecast_table.describe_offers([*offers, cpus], "SPOT")
    assert line == (
        "of all types in the table, spot and as many cells at once: "
        "cheapest t4 ($2.00, 1 h 00 min), fastest h100 ($9.00, 30 min 00 s); CPUs ($4.00, 3 h 00 min)"
    )
    (line,) = forecast_table.describe_offers([dataclasses.replace(cpus, dollars=1), *offers], "")
    assert "on demand and as many" in line and line.count("CPUs") == 1 and "cheapest CPUs" in line


def test_only_nodes_that_are_surely_spot_are_paid_as_spot():
    paid = [forecast_table.choose_dollars(ON_GPUS, c) for c in ("spot", "SPOT", "on-demand", "")]

    assert paid == [0.65, 0.65, 1.7, 1.7]
