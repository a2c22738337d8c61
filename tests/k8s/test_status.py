"""A run's state in words and as JSON: every cell is in it, and what could not be read is named."""

from __future__ import annotations

import json

from experiment import keys
from k8s import status
from k8s.cluster import states
from tests.k8s.cluster_objects import GRID, JOB, job, view_of


def test_status_as_text_and_json_name_every_cell():
    view = view_of(done={GRID.cells[0].id}, jobs=[job(active=2, ready=1)], pods=[])
    cells = states.cell_states(view)

    text, data = "\n".join(status.status_as_text(view, cells)), status.status_as_json(view, cells)

    assert all(c.id in text and c.id in data for c in GRID.cells)
    assert text.endswith("run r: 1 done, 2 waiting, 1 missing")
    assert f"trainer Job {JOB}: active, 2 pods, 1 ready" in text
    assert json.loads(data)["counts"] == {"done": 1, "waiting": 2, "missing": 1}


def test_only_cells_in_one_state_are_shown_on_request(launched, capsys):
    assert status.main(["--run", f"{launched.url}/runs/mine", "--state", "done"]) == 0

    shown = [line for line in capsys.readouterr().out.splitlines() if "digits-" in line]
    assert [line.split()[1] for line in shown] == [GRID.cells[1].id]


def test_without_a_cluster_no_cell_is_said_to_have_no_job(launched, capsys):
    assert status.main(["--run", f"{launched.url}/runs/mine"]) == 0
    out, err = capsys.readouterr()

    assert "run mine: 1 done, 3 missing" in out
    assert "Job" not in out
    assert err.startswith(
        "warning: the cluster was not asked, so this is what the store holds: the kubeconfig does not give a current context"
    )
    assert err.count("\n") == 1


def test_a_damaged_record_is_named_and_the_rest_is_shown(launched, capsys):
    launched.put(keys.failure(GRID.cells[0].id, "torn"), b'{"kind": "fai')

    assert status.main(["--run", f"{launched.url}/runs/mine"]) == 0
    out, err = capsys.readouterr()

    assert "run mine: 1 done, 3 missing" in out
    assert "warning: " in err and "torn.json is not a record of this suite" in err
