"""What a launch writes down of its forecast: the price of a pod for whoever watches, and for the report each Job's hours and dollars."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from experiment import keys
from experiment.spending import Forecast, add_dollars, forecast_to_bytes, read_spent
from experiment.store import Store
from k8s.manifests.settings import Settings
from k8s.planning.forecast import JobForecast
from k8s.planning.forecast_table import choose_dollars, is_spot
from k8s.planning.gpu_types import GpuType
from k8s.planning.work import Device, Work


def price_pod(device: Device, row: GpuType, capacity: str) -> float:
    """Returns the dollars per hour of one pod on nodes of this capacity; on either capacity those on demand, the higher ones."""
    part = device.gpus * device.share if device.gpus else 1.0
    return part * (row.spot if is_spot(capacity) else row.on_demand)


def expect_job(work: Work, forecast: JobForecast, table: Mapping[str, GpuType], capacity: str) -> Forecast:
    """Returns the forecast of a Job as it is written down."""
    return Forecast(
        job=work.job,
        dataset=next(iter(work.cells)).dataset,
        cells=forecast.cells,
        hours=forecast.hours,
        dollars=choose_dollars(forecast, capacity),
        price=price_pod(work.device, table[work.device.kind], capacity),
    )


def read_dollars(store: Store, run: str, settings: Settings) -> float:
    """Returns what a run has taken so far, where ``max_dollars`` bounds it; else 0.

    Raises:
        InvalidInput: its record is damaged.
    """
    return add_dollars(read_spent(store, run)) if settings.max_dollars else 0.0


def record_expectations(store: Store, run: str, expected: Iterable[Forecast]) -> None:
    """Writes the forecasts of new Jobs down, once: what a launch expected stays, whatever a later one expects."""
    for forecast in expected:
        store.put_once(keys.forecast(run, forecast.job), forecast_to_bytes(forecast), uuid.uuid4().hex)
