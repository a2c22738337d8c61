"""The recipes differ in every fact that is named, and nowhere else."""

import dataclasses

from experiment.extensions import CHOICES
from trainer.model.recipe import PAPER, RECIPES, Recipe


def test_every_recipe_of_a_cell_is_known_and_the_paper_s_is_the_default():
    assert tuple(RECIPES) == CHOICES["recipe"]
    assert RECIPES["paper"] == PAPER == Recipe()


def test_the_program_differs_from_the_paper_in_every_fact():
    """A fact in which no two recipes differ would be no setting."""
    ours, his = (dataclasses.asdict(RECIPES[name]) for name in ("paper", "program"))
    assert {name for name in ours if ours[name] == his[name]} == set()
