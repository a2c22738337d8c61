"""The command, as users and the launcher call it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.__main__ import main
from experiment import keys
from experiment.errors import InvalidInput
from experiment.grid import load_grid


def test_the_last_line_is_where_the_page_is(store):
    command = [sys.executable, "-m", "aggregator", "--run", f"{store.url}/runs/made"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True)

    page = Path(done.stdout.splitlines()[-1])
    assert page == store.root / "reports" / "made" / "index.html"
    assert page.is_file()
    assert done.stderr == ""


def test_the_report_can_be_written_elsewhere_and_leaves_the_store_alone(store, tmp_path, capsys):
    before = list(store.list(""))

    assert main(["--run", f"{store.url}/runs/made", "--out", str(tmp_path / "r")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "r" / "index.html")
    assert list(store.list("")) == before


def test_made_again_with_more_cells_it_replaces_the_partial_report(store, capsys):
    key = keys.epochs(load_grid("demo").cells[0])
    data = store.read(key)
    store.delete(key)
    page = store.root / "reports" / "made" / "index.html"

    assert main(["--run", f"{store.url}/runs/made"]) == 0
    assert "This report is partial" in page.read_text()
    store.put(key, data)
    assert main(["--run", f"{store.url}/runs/made", "--wait", "1"]) == 0
    assert "This report is partial" not in page.read_text()
    assert "13 of 13 cells done" in capsys.readouterr().err


def test_a_price_from_the_environment_gives_dollars(store, monkeypatch):
    monkeypatch.setenv("PRICE_PER_HOUR", "CPU=0.9")

    assert main(["--run", f"{store.url}/runs/made"]) == 0
    table = (store.root / "reports" / "made" / "tables" / "digits-cost.csv").read_text().splitlines()
    assert table[1].startswith("CE 1.0,")
    assert ",0.15" in table[1].replace("0.15000000000000002", "0.15")


@pytest.mark.parametrize("arguments", [[], ["--run"], ["--run", "x", "--wait", "soon"]])
def test_a_wrong_command_line_is_argparses(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("{store}/runs/none", "allowed: made"),
        ("{store}", "allowed: STORE/runs/RUN"),
        ("/no/such/runs/x", "an existing directory"),
        ("ftp://host/runs/x", "allowed: a directory"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_one_line(store, capsys, run, words):
    assert main(["--run", run.format(store=store.url)]) == 42
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("price", ["free", "K80=", "-1", "inf"])
def test_a_price_that_is_none_is_refused(store, capsys, price):
    assert main(["--run", f"{store.url}/runs/made", f"--price={price}"]) == 42
    assert "allowed: [DEVICE=]USD per hour" in capsys.readouterr().err


def test_a_store_without_rights_is_refused_in_one_line(store, capsys, monkeypatch):
    def refused(self, key, data):
        raise InvalidInput(
            f"{self.url}/{key} cannot be used: Permission denied; choose a --store that you may read and write"
        )

    monkeypatch.setattr(type(store), "put", refused)

    assert main(["--run", f"{store.url}/runs/made"]) == 42
    assert "Permission denied" in capsys.readouterr().err


def test_a_damaged_grid_is_refused(store, capsys):
    path = store.local_path(keys.grid("made"))
    path.write_text(path.read_text().replace('"alpha": 0.01', '"alpha": 0.02'))

    assert main(["--run", f"{store.url}/runs/made"]) == 42
    assert "is damaged" in capsys.readouterr().err
