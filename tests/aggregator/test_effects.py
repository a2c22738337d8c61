"""The differences from Single that summaries begin with."""

from __future__ import annotations

import pytest

from aggregator.effects import find_effects, largest_effects
from tests.aggregator import factories


def test_every_collaborative_model_is_compared_and_the_extremes_are_found(tmp_path, gather):
    def error(cell, model):
        change = {("l2", 1.0): 0.1, ("ce", 0.01): -0.02}.get((cell.method, cell.alpha), 0)
        return factories.flat_error(cell, model) + change * (model == "ST")

    effects = find_effects(gather(factories.committed_store(tmp_path / "s", error=error)).studies)
    lowest, highest = largest_effects(effects, 2)

    assert len(effects) == 36, "twelve treatments of three models"
    assert (lowest.title, highest.title) == ("Digits: ST of CE 0.01", "Digits: ST of L2 1.0")
    assert highest.difference.effect == pytest.approx(10, abs=0.3)
    assert largest_effects(effects[:3], 8) == sorted(effects[:3], key=lambda e: e.difference.effect)
