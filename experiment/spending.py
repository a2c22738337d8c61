"""What a launch expects of a Job, and what the Job has taken: sealed JSON that launch, collecting Job and report share.

What was taken is beside the run's report, since the collecting Job may write nothing else of a run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from experiment import keys
from experiment.errors import NotFound
from experiment.fields import build_checked
from experiment.sealed import SealedForm
from experiment.store import Store

FORECAST_FORM = SealedForm(what="a Job's forecast", schema=1, advice="remove it: only the report shows it")
SPENT_FORM = SealedForm(what="a record of what a run has taken", schema=1, advice="remove it: counting begins anew")
HOUR = 3600


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a launch expected of one trainer Job.

    Attributes:
        hours: until its last cell ends.
        price: dollars per hour of one pod.
    """

    job: str
    dataset: str
    cells: int
    hours: float
    dollars: float
    price: float

    @property
    def pod_hours(self) -> float:
        """Hours of all its pods together."""
        return self.dollars / self.price if self.price else 0.0


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What one trainer Job has taken.

    Attributes:
        price: dollars per hour of one pod, as its launch took them from the table of GPU types.
        seconds: of all its pods together, from a node to their end.
        gone: the part of them whose pods are no more in the cluster.
        began, until: of its first pod and of its last one (UTC, ISO 8601); empty before the first.
    """

    job: str
    dataset: str
    price: float
    seconds: float = 0.0
    gone: float = 0.0
    began: str = ""
    until: str = ""

    @property
    def dollars(self) -> float:
        """Its price so far."""
        return self.price * self.seconds / HOUR


def add_dollars(spent: Iterable[Spent]) -> float:
    """Returns what these Jobs have taken together."""
    return sum(s.dollars for s in spent)


def forecast_to_bytes(forecast: Forecast) -> bytes:
    """Returns a Job's forecast as sealed JSON."""
    return FORECAST_FORM.to_bytes(dataclasses.asdict(forecast))


def spent_to_bytes(spent: Iterable[Spent]) -> bytes:
    """Returns what a run's Jobs have taken as sealed JSON."""
    return SPENT_FORM.to_bytes({"jobs": [dataclasses.asdict(s) for s in spent]})


def read_forecasts(store: Store, run: str) -> list[Forecast]:
    """Returns the forecasts of the run's Jobs, by name; of a run of an earlier version none.

    Raises:
        InvalidInput: one is damaged.
    """
    return [_read_forecast(store, key) for key in store.list(keys.forecast(run))]


def _read_forecast(store: Store, key: str) -> Forecast:
    source = f"{store.url}/{key}"
    return FORECAST_FORM.parse(store.read(key), source, lambda body: build_checked(Forecast, body, source))


def read_spent(store: Store, run: str) -> list[Spent]:
    """Returns what the run's Jobs have taken as the collecting Job recorded it last; nothing without a record.

    Raises:
        InvalidInput: the record is damaged.
    """
    key = keys.report(run, keys.SPENT)
    source = f"{store.url}/{key}"
    try:
        data = store.read(key)
    except NotFound:
        return []
    return SPENT_FORM.parse(data, source, lambda body: [build_checked(Spent, entry, source) for entry in body["jobs"]])
