"""The doctor's table has a line for each thing that a launch needs, and its exit code says whether one is wrong."""

from __future__ import annotations

import pytest

from k8s import doctor
from k8s.cluster.examination import RIGHT, WRONG, Finding
from tests.k8s.factories import AGGREGATOR, IMAGE

FLAGS = ["--image", IMAGE, "--aggregator-image", AGGREGATOR]


@pytest.mark.parametrize(("state", "code", "last"), [(RIGHT, 0, "nothing wrong was found"), (WRONG, 1, "1 wrong")])
def test_the_exit_code_says_whether_something_is_wrong(api, moto_store, monkeypatch, capsys, state, code, last):
    found = Finding(topic="nodes", state=state, seen="none", advice="make one")
    monkeypatch.setattr("k8s.cluster.examination.examine_cluster", lambda *_: iter([found]))

    assert doctor.main(["--store", moto_store.url, *FLAGS]) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("right    store      s3://")
    assert lines[1:] == [f"{state:8s} nodes      none; make one", last]


def test_a_store_that_cannot_be_used_is_a_line_and_the_cluster_is_asked_all_the_same(api, moto_store, capsys):
    assert doctor.main(["--store", "s3://no-such-bucket-here/p", *FLAGS]) == 1

    out = capsys.readouterr().out
    assert out.startswith("wrong    store")
    assert "wrong    namespace  there is no ensembles; run python -m k8s.setup" in out


def test_the_probe_is_run_when_asked_for(api, moto_store, monkeypatch, capsys):
    told = Finding(topic="probe", state=WRONG, seen="ImagePullBackOff")
    monkeypatch.setattr("k8s.cluster.probe.run_probe", lambda *given: given[3] == 5.0 and told)

    doctor.main(["--store", moto_store.url, *FLAGS, "--probe", "--probe-seconds", "5"])

    assert "wrong    probe      ImagePullBackOff" in capsys.readouterr().out
