"""A run of many settings compares them, and draws no curves of each."""

from __future__ import annotations

import dataclasses

import pytest

from aggregator.report.sections import compose_sections
from aggregator.report.settings import crowded_datasets, settings_section
from experiment.grid import load_grid
from tests.aggregator import factories


@pytest.fixture(scope="module")
def material(tmp_path_factory, gather):
    some = [c for c in load_grid("demo").cells if c.method == "single" or (c.method, c.alpha) == ("l2", 0.01)]
    cells = [dataclasses.replace(c, learning_rate=2.0**-k) for k in range(6, 12) for c in some]

    def error(cell, model):
        return factories.flat_error(cell, model) + 2 * cell.learning_rate * (cell.method == "single")

    return gather(factories.committed_store(tmp_path_factory.mktemp("m") / "s", cells=cells, error=error))


def test_the_settings_stand_side_by_side_in_a_table_and_a_figure(material):
    table, picture = settings_section(material.studies).blocks

    assert sorted(row[0].text.split()[0] for row in table.rows) == [
        "as",
        *["learning_rate"] * 5,
    ]  # the paper's among them
    assert {row[2].text for row in table.rows} >= {"L2 0.01"}
    assert picture.svg.count("<title>") == 6 * 3 * 2, "settings, models, methods"
    assert "learning_rate" in picture.caption


def test_figures_of_each_setting_are_not_drawn_and_the_tables_are_there(material):
    sections = {s.anchor: s for s in compose_sections(material)}
    figures = [b.name for s in sections.values() for b in s.blocks if hasattr(b, "svg")]
    results = [a for a in sections if a.startswith("results-")]

    assert figures == ["digits-settings"]
    assert len(results) == 6
    assert all(sections[a].blocks for a in results)


def test_a_run_of_few_settings_has_no_such_section(made_report):
    assert crowded_datasets(made_report[0].studies) == []
    assert settings_section(made_report[0].studies).blocks == ()
