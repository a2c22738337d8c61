"""Settings beyond the paper: refused where they are impossible or would change nothing, and written as they are chosen."""

import pytest

from experiment.cell import METHODS, Cell
from experiment.errors import InvalidInput
from experiment.extensions import CHOICES, NEUTRAL, ON_PREDICTIONS, describe_setting
from experiment.grid import parse_grid
from experiment.members import MEMBERS, Member

THREE = (*MEMBERS.values(), Member(name="C", bricks=1, blocks=1, filters=2))
REFUSED = {
    "pairs of two": (
        {"pairs": "all"},
        "pairs of method l2 with 2 members is 'all'; allowed: chain, or a method of pairs",
    ),
    "pairs to a mean": ({"pairs": "all", "method": "consensus", "members": THREE}, "pairs of method consensus with 3"),
    "pairs alone": ({"pairs": "all", "method": "single", "members": THREE}, "pairs of method single with 3"),
    "pull alone": ({"pull": [1, 0], "method": "single"}, r"pull of method single is \[1.0, 0.0\]; allowed: none"),
    "pull of none": ({"pull": [0, 0]}, r"pull is \[0.0, 0.0\]; allowed: a number above 0 for some member"),
    "pull below zero": ({"pull": [1, -1]}, "pull of member M is -1.0; allowed: a finite number of at least 0"),
    "pull of a word": ({"pull": [1, "x"]}, "pull of member M is 'x'; allowed: a finite number of at least 0"),
    "no list": ({"pull": 1.0}, "pull is 1.0; allowed: a list of one number for each member"),
    "plan alone": ({"method": "single", "alpha_plan": "rise"}, "alpha_plan of method single in 30 epochs is 'rise'"),
    "plan of one epoch": ({"epochs": 1, "alpha_plan": "late"}, "alpha_plan of method l2 in 1 epochs is 'late'"),
    "share of nothing": ({"unlabelled_share": 1}, "unlabelled_share without unlabelled images is 1.0; allowed: 0"),
    "no share": (
        {"unlabelled": "noise"},
        "unlabelled_share with a batch_size of 64 is 0.0; allowed: a share that makes",
    ),
    "unlabelled alone": (
        {"method": "single", "unlabelled": "noise", "unlabelled_share": 1},
        "unlabelled of method single",
    ),
    "stale alone": ({"method": "single", "stale_epochs": 1}, "stale_epochs of method single is 1; allowed: 0"),
    "no rest left": (
        {"unlabelled": "rest", "unlabelled_share": 1, "train_examples": 1000, "validation_examples": 437},
        "train_examples beside unlabelled images of digits is 1000; allowed: 1 to 999",
    ),
    "overlap": ({"train_examples": 1000, "validation_examples": 438}, "is 438; allowed: a whole number from 0 to 437"),
    "no rest": (
        {"unlabelled": "rest", "unlabelled_share": 1},
        "train_examples beside unlabelled images of digits is 0",
    ),
    "wide program": (
        {"recipe": "program"},
        "recipe of a cell of head wide and method l2 is 'program'; allowed: paper, or",
    ),
    "newer program": ({"recipe": "program", "head": "plain", "method": "mutual"}, "of head plain and method mutual"),
    "temperature of logits": (
        {"temperature": 2.0},
        "temperature of method l2 is 2.0; allowed: 1, or one of the methods",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_setting_that_is_impossible_or_without_effect_is_refused(name):
    fields, message = REFUSED[name]
    with pytest.raises(InvalidInput, match=message):
        Cell(**{"dataset": "digits", "method": "l2", **fields})


def test_the_first_choice_is_the_neutral_one():
    assert {name: choices[0] for name, choices in CHOICES.items()} == {name: NEUTRAL[name] for name in CHOICES}


def test_methods_on_predictions_are_methods():
    assert set(ON_PREDICTIONS) < set(METHODS)


@pytest.mark.parametrize(("value", "text"), [("all", "all"), (2.0, "2"), (0.1, "0.1"), ((1.0, 0.0), "1+0"), (7, "7")])
def test_a_setting_is_shown_as_it_is_chosen(value, text):
    assert describe_setting(value) == text


def test_a_grid_takes_a_list_as_one_value_and_lists_of_lists_as_several():
    base = {"dataset": "digits", "method": "l2", "alpha": 0.01}
    one = parse_grid("own", {"base": base, "product": [{"pull": [1, 0]}]})
    several = parse_grid("own", {"base": base, "product": [{"pull": [[1, 0], [0, 1], []]}]})

    assert [c.pull for c in one.cells] == [(1.0, 0.0)]
    assert [c.pull for c in several.cells] == [(1.0, 0.0), (0.0, 1.0), ()]
    assert several.only(["pull=1+0"]).cells == one.cells


def test_an_exclusion_may_name_a_neutral_value():
    block = {"dataset": "digits", "method": "mutual", "alpha": 0.1, "temperature": [1, 2], "pull": [[], [1, 0]]}
    grid = parse_grid("own", {"product": [block], "exclude": [{"temperature": 2, "pull": [[1, 0]]}]})

    assert [c.extensions_text for c in grid.cells] == ["", "pull=1+0", "temperature=2"]
