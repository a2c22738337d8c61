"""Folders of a store that cannot be listed are named, and the rest is read."""

from __future__ import annotations

import sys

import pytest

from aggregator import load
from aggregator.load import load_predictions
from aggregator.reading.commits import list_results
from aggregator.reading.run import read_run_results, wait_for_cells
from experiment import keys
from experiment.errors import InvalidInput, Transient
from experiment.run import read_run
from experiment.store import LocalStore
from tests.aggregator import factories
from tests.aggregator.conftest import NOW


class RefusingStore(LocalStore):
    """Refuses to list what one of these prefixes begins or lies above, as a policy of a bucket or a folder's rights do."""

    refused: tuple[str, ...] = ()
    error: type[Exception] = InvalidInput

    def list(self, prefix):
        for refused in self.refused:
            if refused.startswith(prefix) or prefix.startswith(refused):
                raise self.error(
                    f"{self.url}/{refused} cannot be used: Permission denied; ask for the right to list it"
                )
        return super().list(prefix)


@pytest.fixture
def refuse(store):
    def make(*prefixes, error=InvalidInput):
        refusing = RefusingStore(store.root)
        refusing.refused, refusing.error = prefixes, error
        return refusing

    return make


def test_a_whole_store_is_listed(store, cells):
    listing = list_results(store, cells)

    assert listing.problems == ()
    assert listing.commits(cells) == [keys.epochs(c) for c in cells]


def test_the_cells_of_a_folder_that_cannot_be_listed_are_unreadable_not_missing(refuse, gather, cells):
    hidden = [c for c in cells if c.method == "l2"]
    store = refuse(keys.results_folder("digits", "l2"))
    run = gather(store).run

    assert {s.cell.id: s.state for s in run.undone} == {c.id: "unreadable" for c in hidden}
    assert all("Permission denied" in s.reason for s in run.undone)
    assert {p.cell for p in run.problems} == {c.id for c in hidden}


def test_of_a_folder_with_one_bad_cell_the_others_are_read(refuse, gather, cells):
    hidden = next(c for c in cells if c.method == "l2")
    run = gather(refuse(keys.results_folder(hidden.dataset, hidden.method, hidden.id))).run

    assert [(s.cell.id, s.state) for s in run.undone] == [(hidden.id, "unreadable")]


def test_where_nothing_can_be_listed_the_refusal_is_the_answer(refuse, cells):
    with pytest.raises(InvalidInput, match="ask for the right to list it"):
        list_results(refuse(keys.RESULTS), cells)


def test_a_store_that_cannot_be_reached_is_no_folder_without_rights(refuse, cells):
    with pytest.raises(Transient):
        list_results(refuse(keys.results_folder("digits", "l2"), error=Transient), cells)


def test_load_names_a_folder_that_it_cannot_list_or_leaves_it_out_by_name(refuse, monkeypatch, cells):
    store = refuse(keys.results_folder("digits", "l2"))
    monkeypatch.setattr(sys.modules["aggregator.load"], "open_store", lambda url: store)

    with pytest.raises(InvalidInput, match=r"results/dataset=digits/method=l2/: .*Permission denied"):
        load(store.url)
    frame = load(store.url, strict=False)
    assert set(frame["method"]) == {"single", "ce", "l1"}
    assert "Permission denied" in frame.attrs["problems"][0]
    hidden = next(c for c in cells if c.method == "l2")
    with pytest.raises(InvalidInput, match="Permission denied"):
        load_predictions(store.url, hidden.id)


@pytest.mark.parametrize("prefix", [keys.FAILURES, keys.PROGRESS])
def test_records_that_cannot_be_listed_are_named_and_no_cell_is_called_not_started(refuse, cells, prefix):
    store = refuse(prefix)
    store.delete(keys.epochs(cells[0]))
    run = read_run_results(store, read_run(store, factories.RUN), NOW)

    assert [(p.key, p.cell) for p in run.problems] == [(prefix, "")]
    (undone,) = run.undone
    assert undone.state == "missing"
    assert undone.reason.startswith(f"no result, and {prefix} cannot be read: ")


def test_waiting_for_what_cannot_be_listed_ends_with_the_reason(refuse):
    store = refuse(keys.results_folder("digits", "l2"))
    said = []
    wait_for_cells(store, read_run(store, factories.RUN), say=said.append, limit=60, now=lambda: NOW)

    assert said[0].startswith("not waiting: ")
    assert "Permission denied" in said[0]
