"""Cleaning up removes finished Jobs and the checkpoints of finished cells, never a result."""

from __future__ import annotations

from experiment import keys
from experiment.run import read_run
from k8s import cleanup
from k8s.cleanup import spent_keys
from k8s.manifests import names
from tests.k8s.cluster_objects import GRID

DONE, MISSING = GRID.cells[1], GRID.cells[0]


def test_checkpoints_of_unfinished_cells_stay_unless_all_are_to_go(api, launched, capsys):
    for cell in (DONE, MISSING):
        launched.put(keys.checkpoint(cell.id, 5), b"weights")
        launched.put(keys.lease(cell.id, 2), b"{}")
        launched.put(keys.progress(cell.id), b"{}")
        launched.put(keys.start(cell.id), b"{}")
    run = read_run(launched, "mine")
    api.add(
        "jobs", {"metadata": {"name": "mine-digits-1", "labels": names.run_labels("mine", names.TRAINER)}, "spec": {}}
    )

    spent = [keys.checkpoint(DONE.id, 5), keys.lease(DONE.id, 2), keys.progress(DONE.id), keys.start(DONE.id)]
    assert list(spent_keys(launched, run, everything=False)) == spent
    assert len(list(spent_keys(launched, run, everything=True))) == 8
    assert cleanup.main(["--run", f"{launched.url}/runs/mine"]) == 0
    assert "removed 0 Jobs and 4 objects" in capsys.readouterr().out
    assert api.names("jobs") == ["mine-digits-1"]
    assert launched.exists(keys.epochs(DONE))
    assert launched.exists(keys.checkpoint(MISSING.id, 5))
