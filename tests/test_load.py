"""Requests to the store and to the API server are few: for each look, for each cell, whatever else the store holds."""

from __future__ import annotations

import datetime as dt

import pytest

from aggregator.reading.run import read_run_results
from experiment.s3 import S3Store
from k8s import collect
from k8s.cluster.connect import connect_cluster
from k8s.cluster.observe import REFRESH, Observer, observe_reachable
from k8s.planning.survey import survey_store
from tests.counted_run import CountedRun
from tests.counting import CountingProxy
from tests.k8s.api_server import ApiServer

OTHERS = 600  # results of other runs: two more pages of 1,000 keys


@pytest.fixture
def counted(moto_server, moto_store, s3_environment, monkeypatch, tmp_path):
    """Makes runs whose requests are counted."""
    api, opened = ApiServer(), []
    monkeypatch.setenv("KUBECONFIG", str(api.write_kubeconfig(tmp_path / "kubeconfig")))
    with CountingProxy(moto_server, prefix="some/prefix") as proxy:
        s3_environment(proxy.url)

        def make(cells, others=0):
            opened.append(S3Store(moto_store.url))
            return CountedRun(proxy, opened[-1], api, cells=cells, others=others)

        yield make
    for store in opened:
        store._client.close()
    api.stop()


@pytest.fixture
def kube(counted):
    with connect_cluster("", "ensembles") as made:
        yield made


def test_a_look_at_a_run_costs_a_few_listings_whatever_the_store_holds_and_however_many_cells_train(counted, kube):
    run, now = counted(40, OTHERS), [0.0]
    observer = Observer(run.store, run.run, kube, clock=lambda: now[0])
    observer.observe()
    first = run.take()
    now[0] += REFRESH - 1
    observer.observe()
    next_one = run.take()
    now[0] += 1
    observer.observe()
    refreshed = run.take()

    assert first[0]["LIST"] <= 10
    assert first[0]["GET"] == len(run.undone) + 2 + 1  # progress, failures, the Job's cells
    assert next_one[0].keys() == {"LIST"}
    assert next_one[0]["LIST"] <= 4
    assert next_one[1] == 1
    assert refreshed[0]["GET"] == len(run.undone)
    assert refreshed[1] == 2


def test_a_small_run_pays_nothing_for_the_results_of_others(counted, kube):
    run = counted(4, OTHERS)
    observer = Observer(run.store, run.run, kube)
    observer.observe()
    run.take()
    observer.observe()
    store, api = run.take()

    assert sum(store.values()) <= 2 * len(run.undone)
    assert api == 1


def test_a_look_of_the_collecting_job_costs_a_listing_for_the_cells_and_none_for_the_ends_it_knows(counted, kube):
    run, looks = counted(40, OTHERS), []
    died = next(p for p in run.api.objects.values() if p["metadata"].get("uid") == "u39")
    died["status"] = {
        "phase": "Failed",
        "containerStatuses": [{"name": "trainer", "state": {"terminated": {"exitCode": 137}}}],
    }

    def sleep(_):
        looks.append(run.take())
        if len(looks) == 3:
            next(o for o in run.api.objects.values() if o.get("kind") == "Job")["status"]["conditions"] = [
                {"type": "Complete", "status": "True"}
            ]

    collector = collect.Collector(kube=kube, store=run.store, run=run.run, report=lambda: 0, sleep=sleep)

    assert collector.collect() == 0
    assert looks[0][0]["PUT"] == 1
    for store, api in looks[1:]:
        assert store.keys() == {"LIST"}
        assert store["LIST"] <= 3
        assert api == 2


def test_status_report_and_plan_read_what_the_run_has_and_list_little(counted, kube):
    run = counted(40, OTHERS)
    observe_reachable(run.store, run.run, kube)
    status = run.take()
    read_run_results(run.store, run.run, dt.datetime.now(dt.UTC))
    report = run.take()
    survey_store(run.store, run.run.grid, retry_diverged=False)
    plan = run.take()

    assert (status[0]["GET"], status[1]) == (len(run.undone) + 2 + 1, 2)
    assert report[0]["GET"] == len(run.done) + len(run.undone) + 2
    assert plan[0]["GET"] == len(run.done) + 2
    assert max(status[0]["LIST"], report[0]["LIST"], plan[0]["LIST"]) <= 12
