"""A run's state in words and as JSON: every cell is in it, and what could not be read is named."""

from __future__ import annotations

import json

import pytest

from experiment import keys
from experiment.spending import Spent, spent_to_bytes
from k8s import status
from k8s.cluster import states
from k8s.manifests import names
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


def test_without_a_run_the_runs_of_the_store_are_listed(launched, capsys):
    assert status.main(["--store", launched.url]) == 0
    out, err = capsys.readouterr()
    assert out == "mine  stopped  1 of 4 cells done, no report, grid smoke\n"
    assert err.startswith("warning: the cluster was not asked, so Jobs are not shown: ") and err.count("\n") == 1

    assert status.main(["--store", launched.url, "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert (run["run"], run["done"], run["cells"], run["jobs"]) == ("mine", 1, 4, None)


def test_the_cluster_says_which_runs_have_unfinished_jobs(api, launched, capsys):
    own = job()
    own["metadata"]["annotations"] = {names.RUN_URL: f"{launched.url}/runs/mine"}
    api.add("jobs", own)

    assert status.main(["--store", launched.url]) == 0
    assert capsys.readouterr().out.startswith("mine  waiting  1 of 4 cells done, 1 unfinished Jobs, no report")


def test_a_store_without_runs_says_so_and_one_state_needs_a_run(local_store, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert status.main(["--store", local_store.url]) == 0
    assert "holds no run; python -m k8s.launch makes one" in capsys.readouterr().out

    with pytest.raises(SystemExit):
        status.main(["--store", local_store.url, "--state", "done"])
    assert "--state without --run; allowed: of one run; give --run" in capsys.readouterr().err


def test_what_the_run_has_taken_is_shown_as_far_as_it_was_recorded(launched, capsys):
    url, record = f"{launched.url}/runs/mine", keys.report("mine", keys.SPENT)
    spent = Spent(job="j", dataset="digits", price=0.5, seconds=9000.0, until="2026-11-01T12:00:00+00:00")
    launched.put(record, spent_to_bytes([spent]))
    assert status.main(["--run", url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "taken so far: $1.25, 2.5 pod-hours (until 2026-11-01T12:00:00+00:00)"
    (line,) = status.describe_spent([spent], 2.0)
    assert line.startswith("taken so far: $1.25 of max_dollars $2.00, ")

    launched.put(record, b"{}")
    assert status.main(["--run", url, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["dollars"] == 0
    assert "spent.json is not a record of what a run has taken" in err
