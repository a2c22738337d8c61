"""The command, as users and the launcher call it."""

import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.__main__ import main
from experiment import keys
from experiment.grid import load_grid


def test_the_last_line_is_where_the_page_is(store):
    done = subprocess.run([sys.executable, "-m", "aggregator", "--run", f"{store.url}/runs/made"], capture_output=True, text=True,
                          cwd=Path(__file__).parents[2], check=True)  # fmt: skip

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
