"""Looks at growing results are counted in the store."""

from __future__ import annotations

import datetime as dt

import pytest

from aggregator.looks import count_looks, name_study, record_looks
from experiment import keys
from experiment.grid import load_grid
from experiment.looks import Look, record_look
from tests.aggregator import factories
from tests.aggregator.conftest import gather_run

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


@pytest.fixture
def growing(tmp_path):
    """A store with three runs of the same two treatments: of 5 seeds, of 8, and of 5 others."""
    cells = load_grid("smoke").with_seeds(20).cells
    store = factories.committed_store(tmp_path / "s", cells=cells, error=lambda *_: 0.25, predictions=False)
    for name, seeds in (("five", range(5)), ("eight", range(8)), ("fresh", range(10, 15)), ("few", range(4))):
        own = tuple(c for c in cells if c.seed in seeds)
        factories.freeze_run(store, factories.Grid(name=name, cells=own), name)
    return store


def look(store, run):
    studies = gather_run(store, run).studies
    looks = count_looks(store, studies)
    record_looks(store, studies, looks, run=run, now=NOW)
    return [k.number for k in looks.values()]


def test_a_report_made_twice_is_one_look_and_a_grown_one_another(growing):
    assert look(growing, "five") == [1]
    assert look(growing, "five") == [1]
    assert look(growing, "eight") == [2]
    assert look(growing, "five") == [1], "it keeps its number"


def test_fresh_seeds_alone_are_looked_at_for_the_first_time(growing):
    look(growing, "five")

    assert look(growing, "fresh") == [1]


def test_too_few_seeds_to_be_tested_are_no_look(growing):
    assert look(growing, "few") == []
    assert list(growing.list(keys.LOOKS)) == []


def test_a_look_that_cannot_be_read_counts_as_one(growing):
    study = gather_run(growing, "five").studies[0]
    growing.put(keys.look(name_study(study), "0123456789"), b"{}")

    assert look(growing, "five") == [2]


def test_a_claim_is_judged_at_the_level_of_its_look(growing):
    look(growing, "five")
    claims = {c.name: c for c in gather_run(growing, "eight").claims if c.parts}

    assert {c.looks for c in claims.values()} <= {1, 2}
    assert all(c.looks == 2 for c in claims.values())


def test_a_report_of_planned_seeds_is_judged_at_the_plans_level(growing):
    look(growing, "five")
    study = gather_run(growing, "eight").studies[0]
    record_look(growing, name_study(study), Look(tuple(range(8)), 2, 0.004, "p"), run="eight", time="t")
    claims = [c for c in gather_run(growing, "eight").claims if c.parts]

    assert {c.level for c in claims} == {0.004}
    assert {c.next_level for c in claims} == {0.004}
    assert look(growing, "eight") == [2]
