"""A store that is away or refuses for a while, on real servers: the cell is committed by the same attempt, with the same bits."""

from __future__ import annotations

import pytest

from experiment import keys, outage
from experiment.errors import Interrupted, Transient
from experiment.s3 import S3Store
from tests.faults import Proxy
from trainer.attempt import attempt_cell
from trainer.model import training
from trainer.options import AttemptOptions
from trainer.verify_resume import differing_columns

OUTAGES = ["gone", "SlowDown", "AccessDenied", "ExpiredToken"]
pytestmark = pytest.mark.usefixtures("impatient_client")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(training, "SECONDS_PER_CALL", 0.0)
    monkeypatch.setattr(outage, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(outage, "LONGEST_PAUSE", 0.1)


@pytest.fixture(params=["moto_store", pytest.param("minio_store", marks=pytest.mark.s3)])
def away(request, s3_environment):
    """(store behind a proxy that can be away, the proxy)."""
    direct = request.getfixturevalue(request.param)
    with Proxy(direct._client.meta.endpoint_url) as proxy:
        s3_environment(proxy.url)
        store = S3Store(direct.url, sleep=lambda _: None)
        yield store, proxy
        store._client.close()


@pytest.fixture
def options(away, tiny):
    def make(**fields):
        known = {"store": away[0], "attempt": "only", "load": lambda _: tiny, "stopping": lambda: False}
        return AttemptOptions(**{**known, "checkpoint_seconds": 0.0, "outage_seconds": 60.0, **fields})

    return make


@pytest.fixture
def calm(local_store, make_cell, tiny):
    """A store with the undisturbed cell."""
    undisturbed = AttemptOptions(store=local_store, attempt="calm", load=lambda _: tiny, stopping=lambda: False)
    assert attempt_cell(make_cell(), undisturbed) == "committed"
    return local_store


@pytest.fixture
def short(monkeypatch, away):
    """Outages end when somebody has begun to wait for it, however fast this machine is."""
    rest = outage.Patience._rest

    def come_back(patience, seconds):
        away[1].outage = None
        rest(patience, seconds)

    monkeypatch.setattr(outage.Patience, "_rest", come_back)


def end_committed(away, calm, cell, err):
    store, proxy = away
    assert proxy.outage is None
    assert differing_columns(cell, calm, store) == []
    assert [list(store.list(prefix)) for prefix in (keys.FAILURES, keys.CHECKPOINTS, keys.PROGRESS)] == [[], [], []]
    assert err.count("the store is back after") == 1


@pytest.mark.parametrize("kind", OUTAGES)
@pytest.mark.usefixtures("short")
def test_an_outage_before_the_training(away, options, calm, make_cell, capsys, kind):
    away[1].outage = kind

    assert attempt_cell(make_cell(), options()) == "committed"
    end_committed(away, calm, make_cell(), capsys.readouterr().err)


@pytest.mark.parametrize("kind", OUTAGES)
@pytest.mark.usefixtures("short")
def test_an_outage_that_begins_in_the_training_and_outlasts_it(away, options, calm, make_cell, capsys, kind):
    begun = []

    def show(progress):
        if progress.step >= 4 and not begun:
            away[1].outage = kind
            begun.append(kind)

    assert attempt_cell(make_cell(), options(show=show)) == "committed"
    err = capsys.readouterr().err
    assert "was not kept: " in err
    end_committed(away, calm, make_cell(), err)


def test_an_outage_without_an_end_is_a_failure_that_counts_as_one_try(away, options, make_cell):
    away[1].outage = "AccessDenied"
    with pytest.raises(Transient, match=r"AccessDenied.*\(waited 1 s\)"):
        attempt_cell(make_cell(), options(outage_seconds=1.0))


def test_a_training_that_is_told_to_stop_in_an_outage_ends_as_interrupted(away, options, make_cell, capsys):
    def show(progress):
        if progress.step == 4:
            away[1].outage = "AccessDenied"

    steps = iter([False] * 12)
    with pytest.raises(Interrupted, match="was told to stop at step"):
        attempt_cell(make_cell(), options(show=show, stopping=lambda: next(steps, True)))
    assert "the last checkpoint, of step" in capsys.readouterr().err
