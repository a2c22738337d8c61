"""Facts of the results and of the launch, each with its number of cells."""

from __future__ import annotations

from aggregator.report.provenance import provenance_section
from experiment import keys, results
from tests.aggregator import factories


def table(material):
    section = provenance_section(material.run)
    return {(row[0].text, row[1].text): row[2].text for row in section.blocks[0].rows}


def test_a_run_of_one_kind_has_one_row_for_each_fact(store, gather):
    rows = table(gather(store))

    assert rows["device", "CPU <fast>"] == "13"
    assert rows["packages", "tensorflow 2.21"] == "13"
    assert rows["launch: git_commit", "abc"] == ""
    assert len({fact for fact, _ in rows}) == len(rows)


def test_cells_that_were_made_otherwise_are_counted_apart(store, gather, cells):
    facts = factories.made_provenance(device="GPU", deterministic=False)
    data = results.to_bytes(results.to_table("epochs", factories.epoch_columns(cells[0]), facts))
    store.put(keys.epochs(cells[0]), data)
    rows = table(gather(store))

    assert (rows["device", "CPU <fast>"], rows["device", "GPU"]) == ("12", "1")
    assert rows["deterministic", "false"] == "1"
