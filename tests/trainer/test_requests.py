"""The whole life of a cell costs few requests to the store."""

from __future__ import annotations

from experiment.hold import RENEWALS
from experiment.lease import TERM, Holder, take_lease
from experiment.s3 import S3Store
from tests.counting import CountingProxy
from trainer import watcher
from trainer.attempt import attempt_cell
from trainer.options import AttemptOptions


def test_the_whole_life_of_a_cell_costs_few_requests(
    moto_server, moto_store, s3_environment, tiny, make_cell, monkeypatch
):
    never = 1e9  # what is written by the clock is not counted here
    monkeypatch.setattr(watcher, "PROGRESS_SECONDS", never)
    with CountingProxy(moto_server, prefix=moto_store._key("")) as proxy:
        s3_environment(proxy.url)
        store = S3Store(moto_store.url)
        own = {"store": store, "attempt": "a", "checkpoint_seconds": never}
        own["holder"] = Holder(name="a", term=never)
        options = AttemptOptions(load=lambda _: tiny, stopping=lambda: False, **own)

        assert attempt_cell(make_cell(epochs=1), options) == "committed"

        spent = proxy.take()
        store._client.close()
    assert spent["PUT"] <= 7, spent  # lease, two models, predictions, epochs, the log, and what else begins an attempt
    assert spent.total() <= 18, spent


def test_a_lease_costs_three_requests_a_renewal(moto_server, moto_store, s3_environment):
    with CountingProxy(moto_server) as proxy:
        s3_environment(proxy.url)
        store = S3Store(moto_store.url)
        lease = take_lease(store, "cell", Holder(name="a"))
        proxy.take()
        lease.renew()
        spent = proxy.take()
        store._client.close()

    assert spent.total() == 3
    assert 60 / (TERM / RENEWALS) <= 4  # renewals a minute
