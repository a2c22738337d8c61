"""Results behind links are read, and a link that leads nowhere is named."""

from __future__ import annotations

import shutil

import pytest

from aggregator import load
from aggregator.__main__ import main
from experiment import keys
from experiment.errors import InvalidInput
from tests.aggregator import factories


@pytest.fixture
def move(store, tmp_path):
    """Moves a folder of the store to another place and leaves a link to it; returns the place."""

    def move_away(folder):
        place = tmp_path / "disk" / folder.strip("/").rpartition("/")[2]
        place.parent.mkdir(exist_ok=True)
        shutil.move(store.root / folder, place)
        (store.root / folder.rstrip("/")).symlink_to(place)
        return place

    return move_away


def test_results_that_were_moved_to_another_disk_are_all_read(store, gather, move, cells):
    move("results/dataset=digits")

    assert gather(store).run.undone == []
    assert load(store.url)["cell_id"].nunique() == len(cells)


def test_results_of_a_disk_that_is_not_mounted_are_unreadable_and_the_rest_is_reported(store, gather, move, cells):
    shutil.rmtree(move(keys.results_folder("digits", "l2")))
    run = gather(store).run

    assert {(s.cell.method, s.state) for s in run.undone} == {("l2", "unreadable")}
    assert all("which does not exist" in s.reason for s in run.undone)
    with pytest.raises(InvalidInput, match=r"method=l2 is a link to .*which does not exist"):
        load(store.url)
    frame = load(f"{store.url}/runs/{factories.RUN}", strict=False)
    assert set(frame["method"]) == {"single", "ce", "l1"}
    assert len(frame.attrs["problems"]) == sum(c.method == "l2" for c in cells)


def test_a_store_whose_results_are_all_on_a_disk_that_is_not_mounted_is_refused_by_name(store, move, capsys):
    shutil.rmtree(move("results"))

    assert main(["--run", f"{store.url}/runs/{factories.RUN}"]) == 42
    assert "results is a link to" in capsys.readouterr().err
    assert not (store.root / "reports").exists()
