"""The store goes away again and again while real pods train the smoke grid: it ends complete, without a retry, with the same bits."""

from __future__ import annotations

import os
import random
import time

import pytest

from experiment import keys
from experiment.run import read_run
from experiment.s3 import S3Store
from tests.cluster.parts import BRIDGE
from tests.e2e.names import Names
from tests.e2e.real_namespace import trainer
from tests.e2e.test_grid import committed, failure_count
from tests.faults import Proxy
from trainer.verify_resume import differing_columns

NAME = "store.test"
LONG = os.environ.get("OUTAGES") == "long"  # by hand: half an hour
AWAY = {"gone": 900, "SlowDown": 300} if LONG else {"gone": 6, "SlowDown": 6}
AWAY |= {"AccessDenied": 60, "ExpiredToken": 60} if LONG else {"AccessDenied": 6, "ExpiredToken": 6}
NO_NAMES = 60 if LONG else 10  # seconds; a resolver asks again for as long
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(5400 if LONG else 1800)]


@pytest.fixture
def between(pods_s3):
    """What lies between the pods and the store: (the proxy, the name server), both of which can be gone."""
    with Proxy(pods_s3, BRIDGE) as proxy, Names(BRIDGE, NAME, BRIDGE) as names:
        yield proxy, names


@pytest.fixture
def pods_endpoint(between):
    return between[0].url.replace(BRIDGE, NAME)


def befall(proxy, names, rng, until):
    """Lets every outage come in turn, each at a random moment after the one before, and last on after it has met a request."""
    names.gone = True
    proxy.outage = "gone"  # whoever is connected needs no name
    until(lambda: names.unanswered, "a question for a name")
    proxy.outage = None
    time.sleep(NO_NAMES)
    names.gone = False
    for kind, seconds in AWAY.items():
        time.sleep(rng.uniform(0, 3))
        proxy.outage = kind
        until(lambda kind=kind: kind in proxy.refused, f"a request in the outage {kind}")
        time.sleep(seconds)
        proxy.outage = None


def test_the_smoke_grid_ends_complete_without_a_retry_and_bit_identical_though_the_store_goes_away(namespace, between):
    proxy, names = between
    seed = random.randrange(10**6)
    print(f"outages of seed {seed}")
    with namespace.launch("--grid", "smoke", "--run", "smoke") as launch:
        namespace.running("smoke", 0)  # earlier, the outages would be over before anybody trains
        befall(proxy, names, random.Random(seed), namespace.until)
        code = launch.wait(1200)

    said = (namespace.folder / "launch.log").read_text()
    assert code == 0, said
    assert "4 of 4 cells done" in said
    assert set(proxy.refused) == set(AWAY), "each kind of outage has met a request"
    assert names.unanswered
    cells = read_run(namespace.store, "smoke").grid.cells
    pods = namespace.pods("smoke")
    assert [failure_count(pod) for pod in pods] == ["0"] * len(cells)
    assert [trainer(pod)["state"]["terminated"]["exitCode"] for pod in pods] == [0] * len(cells)
    assert {committed(namespace, c)["attempt"] for c in cells} == {p["metadata"]["uid"] for p in pods}
    assert list(namespace.store.list(keys.FAILURES)) == []

    calm = S3Store(
        f"{namespace.store.url}-calm"
    )  # in pods too: the image's TensorFlow is another build than this machine's
    with namespace.launch("--grid", "smoke", "--run", "calm", "--store", calm.url) as launch:
        assert launch.wait(600) == 0
    assert [differing_columns(cell, calm, namespace.store) for cell in cells] == [[]] * len(cells)
