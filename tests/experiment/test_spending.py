"""Forecasts and what was taken of them come back as they were written; what is damaged is refused in a line."""

from __future__ import annotations

import json

import pytest

from experiment import keys, spending
from experiment.errors import InvalidInput
from experiment.sealed import digest_json
from experiment.spending import Forecast, Spent

FORECAST = Forecast(job="r-mnist-1", dataset="mnist", cells=3, hours=2.0, dollars=1.5, price=0.5)
SPENT = Spent(job="r-mnist-1", dataset="mnist", price=0.5, seconds=7200, gone=600.0, began="a", until="b")


def test_hours_and_dollars_follow_from_the_price_of_a_pod():
    assert FORECAST.pod_hours == 3.0
    assert Forecast(job="j", dataset="d", cells=1, hours=1.0, dollars=0.0, price=0.0).pod_hours == 0.0
    assert SPENT.dollars == 1.0
    assert spending.add_dollars([SPENT, SPENT]) == 2.0


def test_what_is_written_is_read_and_an_earlier_run_has_nothing(local_store):
    assert spending.read_forecasts(local_store, "r") == spending.read_spent(local_store, "r") == []

    local_store.put(keys.forecast("r", FORECAST.job), spending.forecast_to_bytes(FORECAST))
    local_store.put(keys.report("r", keys.SPENT), spending.spent_to_bytes([SPENT]))

    assert spending.read_forecasts(local_store, "r") == [FORECAST]
    assert spending.read_spent(local_store, "r") == [SPENT]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"price": "free"}, "price of .* is of another type"),
        ({"seconds": float("1e999")}, "seconds of .* is of another type"),
        ({"more": 1}, "is not a record of what a run has taken"),
    ],
)
def test_another_form_is_refused_with_what_to_do(local_store, change, says):
    body = json.loads(spending.spent_to_bytes([SPENT]))
    del body["sha256"]
    body["jobs"][0] |= change
    local_store.put(keys.report("r", keys.SPENT), json.dumps({**body, "sha256": digest_json(body)}).encode())

    with pytest.raises(InvalidInput, match=says) as refusal:
        spending.read_spent(local_store, "r")
    assert "remove it" in str(refusal.value)
