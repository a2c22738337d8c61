"""Sections have what the run has, and say what it lacks."""

from __future__ import annotations

from aggregator.report.sections import compose_sections
from experiment import keys


def anchors(material):
    return [s.anchor for s in compose_sections(material)]


def test_a_section_without_content_is_left_out(made_report, store, gather):
    assert "data" in anchors(made_report[0])
    for key in [*store.list(keys.RESULTS)]:
        store.delete(key)
    bare = anchors(gather(store))

    assert {"closer", "cost"} & set(bare) == set()
    assert bare == ["claims", "trained", "results-digits", "data", "cells", "provenance"]


def test_what_repeats_other_numbers_is_folded(made_report):
    section = next(s for s in compose_sections(made_report[0]) if s.anchor == "results-digits")
    shown, folded = (
        [b.name for b in part] for part in (section.blocks[: section.unfolded], section.blocks[section.unfolded :])
    )

    assert shown[:2] == ["digits-error", "digits-differences"]
    assert {
        "digits-test-cost",
        "digits-cross-entropy",
        "digits-all-differences",
        "digits-ST-methods-cost",
        "digits-M-methods-cost",
    } <= set(folded)


def test_cells_and_objects_that_are_wrong_are_listed(store, gather, cells):
    store.delete(keys.epochs(cells[0]))
    store.put(keys.predictions(cells[1]), b"PAR1")
    section = next(s for s in compose_sections(gather(store)) if s.anchor == "cells")
    missing, problems = section.blocks

    assert [row[0].text for row in missing.rows] == [cells[0].id]
    assert [row[0].text for row in problems.rows] == [keys.predictions(cells[1])]
