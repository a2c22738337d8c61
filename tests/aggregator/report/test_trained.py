"""The page says what was trained and how to cite it."""

from __future__ import annotations

from aggregator.report.trained import trained_section
from experiment.cell import Cell


def test_settings_members_and_seeds_are_said(made_report):
    material = made_report[0]
    section = trained_section(material.run, material.studies)
    row = dict(zip(section.blocks[0].columns, [e.text for e in section.blocks[0].rows[0]], strict=True))
    cell: Cell = material.studies[0].cells[0]

    assert row["data set"] == "Digits"
    assert row["images: training, test"] == "1,437, 360"
    assert row["members"] == "ST: 3 x 1, 8 filters (47,098)\nM: 3 x 2, 16 filters (283,450)"
    lines = row["training"].split("\n")
    assert {f"batch {cell.batch_size}", "epochs 20", "head wide", "learning rate 0.0009766"} <= set(lines)
    assert (row["methods"], row["alphas"], row["seeds"]) == ("CE, L1, L2, Single", "1.0, 0.1, 0.01, 0.0001", "0")


def test_the_paper_is_named_with_its_author_and_the_run_can_be_cited(made_report):
    material = made_report[0]
    words = " ".join(trained_section(material.run, material.studies).words)

    assert "Justin Noel: A collaborative approach to deep learning" in words
    assert "run made of grid made, 13 of 13 cells trained by commit abc, read 2026-01-02 03:04 UTC" in words
    assert "alpha times a collaboration cost" in words
