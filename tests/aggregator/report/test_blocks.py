"""A section keeps its blocks in their order, and says how many are open."""

from __future__ import annotations

from aggregator.report.blocks import Section


def test_a_section_shows_all_its_blocks_unless_it_is_said_otherwise():
    assert Section(anchor="a", title="A").unfolded is None
    assert Section(anchor="a", title="A", unfolded=0).unfolded == 0
