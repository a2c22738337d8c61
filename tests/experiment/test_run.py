"""A launched grid is read as it was written, or refused."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment import cell as cell_module
from experiment import keys, urls
from experiment.errors import InvalidInput, NotFound
from experiment.grid import Grid, load_grid
from experiment.run import GRID_FORM, Run, open_run, read_run
from tests.experiment.test_cell import cells

RUN = Run(name="demo-1", grid=load_grid("demo"), provenance={"git_commit": "abc", "time": "then"})


@given(st.lists(cells(), min_size=1, max_size=4, unique_by=lambda c: c.id))
def test_a_frozen_grid_survives_the_way_through_json(chosen):
    run = Run(name="r", grid=Grid(name="g", cells=tuple(chosen)))

    assert Run.from_bytes(run.to_bytes(), "here") == run


def test_it_holds_the_cells_in_full_with_their_ids_and_its_provenance():
    body = json.loads(RUN.to_bytes())

    assert (body["schema_version"], body["run"], body["grid"]) == (1, "demo-1", "demo")
    assert body["provenance"] == {"git_commit": "abc", "time": "then"}
    assert [c["id"] for c in body["cells"]] == [c.id for c in load_grid("demo").cells]
    assert set(body["cells"][0]) == {"id", *load_grid("demo").cells[0].as_dict()}


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a" * 31, "a/b", "a.b", "a\n"])
def test_a_run_s_name_fits_kubernetes(name):
    with pytest.raises(InvalidInput, match=r"the run's name is .*; allowed: up to 30 of a-z"):
        Run(name=name, grid=RUN.grid)


@given(st.data())
def test_damage_anywhere_is_noticed(data):
    whole = RUN.to_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 127))]) + whole[place + 1 :]
    message = ""
    try:
        read = Run.from_bytes(damaged, "here")
    except InvalidInput as error:
        message = str(error)

    assert message.startswith("here ") or read == RUN


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"null", b"{}", b"\xff", b'"x"'])
def test_what_is_no_frozen_grid_is_refused(content):
    with pytest.raises(InvalidInput, match=r"here is not a frozen grid .*; restore it, or launch"):
        Run.from_bytes(content, "here")


def test_another_schema_is_refused(monkeypatch):
    monkeypatch.setattr("experiment.run.GRID_FORM", dataclasses.replace(GRID_FORM, schema=2))
    newer = RUN.to_bytes()
    monkeypatch.undo()
    with pytest.raises(InvalidInput, match="the schema of here is 2; allowed: 1; use the version of the suite"):
        Run.from_bytes(newer, "here")


def test_cells_that_this_version_calls_otherwise_are_refused(monkeypatch):
    older = RUN.to_bytes()
    monkeypatch.setattr(cell_module, "NUMERICS", 99)
    with pytest.raises(InvalidInput, match="here names cell digits-single-0-s0-7e5d5869ab, which this version calls"):
        Run.from_bytes(older, "here")


def test_a_run_is_read_from_its_store(local_store):
    with pytest.raises(NotFound, match=r"runs/demo-1/grid\.json does not exist; check the store and the run"):
        read_run(local_store, "demo-1")
    local_store.put_once(keys.grid("demo-1"), RUN.to_bytes(), "a")

    assert read_run(local_store, "demo-1") == RUN


def test_a_run_is_opened_by_its_url_with_its_store(local_store):
    local_store.put_once(keys.grid("demo-1"), RUN.to_bytes(), "a")
    store, run = open_run(urls.run_url(local_store.url, "demo-1"))

    assert (store.url, run) == (local_store.url, RUN)


def test_an_unknown_run_is_refused_with_the_runs_that_there_are(local_store):
    local_store.put_once(keys.grid("demo-1"), RUN.to_bytes(), "a")
    with pytest.raises(InvalidInput, match="the run is 'demo-2'; allowed: demo-1; correct --run"):
        open_run(urls.run_url(local_store.url, "demo-2"))
