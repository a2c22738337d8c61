"""Objects that belong to no commit are found, and those of which nothing is known are left alone."""

from __future__ import annotations

from aggregator.reading.orphans import FOREIGN, LOST, UNDER_WAY, find_orphans
from experiment import keys
from experiment.grid import load_grid

DONE, WAITING, UNREADABLE = load_grid("demo").cells[:3]
NAMED = {keys.predictions(DONE), keys.artifact_beside(keys.model(DONE.id, "M"), "a2")}
OBJECTS = {
    *NAMED,
    *map(keys.epochs, (DONE, UNREADABLE)),
    *(keys.model(cell.id, "M") for cell in (DONE, WAITING, UNREADABLE)),
    "results/notes.txt",
    "models/notes.txt",
}


def found(cells=None):
    return {p.key: p.reason for p in find_orphans(OBJECTS, named=NAMED, judged={DONE.id}, cells=cells)}


def test_each_orphan_is_named_with_what_is_known_of_it():
    assert found() == {
        keys.model(DONE.id, "M"): LOST,
        keys.model(WAITING.id, "M"): UNDER_WAY,
        "results/notes.txt": FOREIGN,
        "models/notes.txt": FOREIGN,
    }


def test_of_a_run_only_what_belongs_to_its_cells_is_named():
    assert found({WAITING.id}) == {keys.model(WAITING.id, "M"): UNDER_WAY}
