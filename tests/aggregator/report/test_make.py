"""A report is written whole, into the store or elsewhere."""

from __future__ import annotations

import datetime as dt

from aggregator.report.make import make_report
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
