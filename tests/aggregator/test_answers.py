"""Answers at the command line: a table, and a grid of what would decide more."""

from __future__ import annotations

import pytest

from aggregator.__main__ import main
from experiment.grid import load_grid
from tests.aggregator import factories
from tests.aggregator.test_suggest import promising_error


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    cells = [c for c in load_grid("demo").with_seeds(5).cells if c.method in ("single", "l2") and c.alpha < 1]
    place = tmp_path_factory.mktemp("answers") / "s"
    store = factories.committed_store(place, cells=cells, error=promising_error, predictions=False)
    return f"{store.url}/runs/made"


def test_a_summary_prints_the_verdicts_and_makes_no_report(url, capsys):
    assert main(["--run", url, "--summary"]) == 0

    out = capsys.readouterr().out
    assert out.count("\n") > 15
    assert "index.html" not in out


def test_a_suggestion_is_a_grid_file_that_a_launch_takes(url, tmp_path, capsys):
    place = tmp_path / "next.toml"

    assert main(["--run", url, "--suggest", str(place), "--price", "2"]) == 0
    assert len(load_grid(str(place)).cells) > 20
    out = capsys.readouterr().out
    assert out.startswith("claim ")
    assert "$" in out
    assert f"launch it: --grid {place}" in out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--claims", "7"], "a claim is '7'; allowed: 1, 2, 3, 4, 5, 6, L2-1"),
        (["--budget", "1"], "--price"),
        (["--claims", "1"], "every claim that was asked for is decided"),
        (["--claims", "L2-2"], "no number of seeds would decide these claims"),
    ],
)
def test_what_cannot_be_suggested_is_one_line(url, tmp_path, capsys, flags, words):
    assert main(["--run", url, "--suggest", str(tmp_path / "n.toml"), *flags]) == 42

    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "flags",
    [["--suggest", "next"], ["--power", "1"], ["--power", "x"], ["--most", "4"], ["--most", "x"], ["--budget", "0"]],
)
def test_a_wrong_wish_is_refused_by_its_flag(flags, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--run", "x", *flags])

    assert stop.value.code == 2
    assert "allowed: " in capsys.readouterr().err
