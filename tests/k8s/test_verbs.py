"""What the verbs share: a run is named by its URL or by its name, and a foreseen error is one line."""

from __future__ import annotations

import pytest

from experiment import keys
from experiment.grid import load_grid
from experiment.run import Run
from k8s import logs, status
from tests.made import commit

GRID = load_grid("smoke")


@pytest.fixture
def run(local_store, monkeypatch, tmp_path):
    """A run of four cells, the second of which is done; no cluster."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    local_store.put(keys.grid("mine"), Run(name="mine", grid=GRID).to_bytes())
    commit(local_store, GRID.cells[1])
    return local_store


@pytest.mark.parametrize("named", ["url", "name"])
def test_a_run_is_named_by_its_url_or_by_its_name_and_store(run, capsys, named):
    flags = ["--run", f"{run.url}/runs/mine"] if named == "url" else ["--run", "mine", "--store", run.url]

    assert status.main(flags) == 0
    assert "run mine: 1 done, 3 not launched" in capsys.readouterr().out


def test_only_cells_in_one_state_are_shown_on_request(run, capsys):
    assert status.main(["--run", f"{run.url}/runs/mine", "--state", "done"]) == 0

    shown = [line for line in capsys.readouterr().out.splitlines() if "digits-" in line]
    assert [line.split()[1] for line in shown] == [GRID.cells[1].id]


def test_a_run_that_the_store_does_not_have_is_refused_with_those_it_has(run, capsys):
    assert status.main(["--run", "yours", "--store", run.url]) == 42

    assert capsys.readouterr().err == "error: the run is 'yours'; allowed: mine; correct --run, or launch a grid\n"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (GRID.cells[2].id.replace("l2", "l3"), "did you mean 'digits-l"),
        ("digits", "4 cells begin so"),
        ("9", "see python -m k8s.status"),
        ("", "see python -m k8s.status"),
    ],
)
def test_a_cell_that_is_not_one_is_refused(run, capsys, wanted, said):
    assert logs.main(["--run", f"{run.url}/runs/mine", "--cell", wanted]) == 42
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("wanted", [GRID.cells[2].id, GRID.cells[2].id[:11], "2"], ids=["id", "beginning", "index"])
def test_a_cells_logs_are_found_by_id_its_beginning_or_index(run, capsys, wanted):
    run.put(keys.log(GRID.cells[2].id, "one"), b"first\n")
    run.put(keys.log(GRID.cells[2].id, "two"), b"second\n")

    assert logs.main(["--run", f"{run.url}/runs/mine", "--cell", wanted]) == 0
    assert capsys.readouterr().out.splitlines()[1::2] == ["first", "second"]
