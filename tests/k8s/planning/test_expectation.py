"""What a launch writes down of its forecast: the price of a pod, and each Job's hours and dollars, once."""

from __future__ import annotations

import dataclasses

import pytest

from experiment import keys, spending
from experiment.grid import load_grid
from k8s.planning import expectation
from k8s.planning.forecast import forecast_job
from k8s.planning.gpu_types import load_gpu_types
from k8s.planning.work import Device, job_work
from tests.k8s.factories import settings

TABLE = load_gpu_types()
CELLS = load_grid("smoke").cells


@pytest.mark.parametrize(
    ("device", "capacity", "price"),
    [
        (Device(kind="t4", gpus=1), "", TABLE["t4"].on_demand),
        (Device(kind="t4", gpus=1), "SPOT", TABLE["t4"].spot),
        (Device(kind="t4", gpus=2, share=0.25), "on-demand", TABLE["t4"].on_demand / 2),
        (Device(kind="cpu", gpus=0), "spot", TABLE["cpu"].spot),
    ],
)
def test_a_pod_costs_its_part_of_a_gpu_or_its_cpus(device, capacity, price):
    assert expectation.price_pod(device, TABLE[device.kind], capacity) == pytest.approx(price)


@pytest.mark.parametrize("capacity", ["spot", ""])
def test_the_forecast_is_written_once_and_its_price_is_that_of_the_forecast(local_store, capacity):
    work = job_work("r-digits-1", [[c] for c in CELLS], settings(), TABLE)
    forecast = forecast_job(work, TABLE, [])
    told = expectation.expect_job(work, forecast, TABLE, capacity)

    expectation.record_expectations(local_store, "r", [told])
    expectation.record_expectations(local_store, "r", [dataclasses.replace(told, hours=99.0)])

    assert spending.read_forecasts(local_store, "r") == [told]
    assert (told.dataset, told.cells) == ("digits", len(CELLS))
    assert told.pod_hours == pytest.approx(forecast.gpu_hours)


def test_what_a_run_has_taken_is_asked_for_where_a_ceiling_bounds_it(local_store):
    spent = spending.Spent(job="j", dataset="digits", price=2.0, seconds=1800.0)
    local_store.put(keys.report("r", keys.SPENT), spending.spent_to_bytes([spent]))

    assert expectation.read_dollars(local_store, "r", settings()) == 0.0
    assert expectation.read_dollars(local_store, "r", settings(max_dollars=5)) == 1.0
