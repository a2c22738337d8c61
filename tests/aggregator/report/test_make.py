"""A report is written whole, into the store or elsewhere."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from aggregator.report.make import make_report
from experiment.cell import Cell
from experiment.members import Member
from experiment.run import read_run
from tests.aggregator import factories


def make(store, **options):
    now = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    given = {"out": None, "wait": None, "prices": {}, **options}
    return make_report(store, read_run(store, factories.RUN), now=lambda: now, **given)


def test_the_page_names_the_time_at_which_the_store_was_read(store, tmp_path):
    page = make(store, out=tmp_path / "there")

    assert page == str(tmp_path / "there" / "index.html")
    assert "read on 2026-01-02 at 00:00 UTC" in (tmp_path / "there" / "index.html").read_text()


def test_the_page_is_written_after_all_that_it_stands_for(store, monkeypatch):
    written = []
    put = type(store).put

    def record(self, key, data):
        written.append(key)
        put(self, key, data)

    monkeypatch.setattr(type(store), "put", record)
    make(store)

    assert written[-1] == f"reports/{factories.RUN}/index.html"
    assert all(key.startswith(f"reports/{factories.RUN}/") for key in written)


def ensemble(names, method="single", alpha=0.0):
    members = tuple(Member(name=n, bricks=1, blocks=1, filters=2) for n in names)
    small = {"epochs": 3, "train_examples": 64, "test_examples": 64, "batch_size": 32}
    return Cell(dataset="digits", method=method, alpha=alpha, members=members, **small)


def ensembles(*names):
    return [ensemble(n, *treatment) for n in names for treatment in (("single", 0.0), ("l2", 0.01))]


@pytest.mark.parametrize(
    "cells",
    [
        ensembles([f"MemberOfTwelve{i:02d}" for i in range(12)], [f"MemberOfTwelve{i:02d}" for i in range(11)]),
        ensembles(["aa", "AA"], ["Aa", "aA"]),
        [ensemble(["a"]), ensemble(["A"]), *ensembles(["a", "b"], ["A", "B"])],
    ],
    ids=["two ensembles of many members with long names", "names that differ in case", "ensembles that differ in case"],
)
def test_every_study_has_files_and_anchors_of_its_own_whatever_its_names(tmp_path, cells):
    store = factories.committed_store(tmp_path / "s", cells=cells, error=lambda *_: 0.25)
    make(store)
    folder = store.root / "reports" / factories.RUN
    files = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    page = (folder / "index.html").read_text()
    anchors = re.findall(r'<section id="([^"]+)"', page)
    errors = [f for f in files if f.endswith("-error.csv")]
    methods = [f for f in files if f.endswith("-methods.svg")]
    collaborating = [c for c in cells if c.method != "single"]

    assert len({f.casefold() for f in files}) == len(files)
    assert len(errors) == len({c.members for c in cells})
    assert len(methods) == sum(len(c.members) for c in collaborating)
    assert len({a.casefold() for a in anchors}) == len(anchors)
    assert page.count("<figure>") == sum(f.endswith(".svg") for f in files)
    assert max(len(f.rpartition("/")[2]) for f in files) <= 160
