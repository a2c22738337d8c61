"""Retrying launches the failed cells of a run and no others."""

from __future__ import annotations

from experiment import keys, records
from experiment.assignment import read_assignments
from experiment.records import Failure
from k8s import retry
from tests.k8s.cluster_objects import GRID
from tests.k8s.factories import AGGREGATOR, IMAGE

IMAGES = ["--image", IMAGE, "--aggregator-image", AGGREGATOR]


def test_only_failed_cells_are_launched_again(api, launched, capsys):
    flags = ["--run", f"{launched.url}/runs/mine", *IMAGES]
    assert retry.main(flags) == 0
    assert "no cell of run mine has failed" in capsys.readouterr().out
    cell = GRID.cells[2].id
    failure = Failure(cell=cell, attempt="a", kind="diverged", exit_code=43, message="nan", time="2026-11-01T11:00:00Z")
    launched.put(keys.failure(cell, "a"), records.to_bytes(failure))

    for ceiling, said in (("--max-dollars", "allowed: up to max_dollars"), ("--ask-above", "give --yes")):
        assert retry.main([*flags, ceiling, "0.001"]) == 42
        assert said in capsys.readouterr().err
    assert api.names("jobs") == []

    assert retry.main([*flags, "--ask-above", "0.001", "--yes"]) == 0

    assert f"again: {cell}\n" in capsys.readouterr().out
    assert [a.indexes for a in read_assignments(launched, "mine").values()] == [(2,)]
    assert sorted(name.split("-")[1] for name in api.names("jobs")) == ["collect", "digits", "prepare"]
