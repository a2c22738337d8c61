"""Settings beyond the paper: refused where they are impossible or would change nothing, and written as they are chosen."""

import pytest

from experiment.cell import MEMBERS, METHODS, Cell, Member
from experiment.errors import InvalidInput
from experiment.extensions import CHOICES, NEUTRAL, ON_PREDICTIONS, describe_setting
from experiment.grid import parse_grid

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
