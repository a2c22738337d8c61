"""A selection keeps or leaves out what it says, and every part of it matches something or is refused by name."""

from __future__ import annotations

import re
import time
import tomllib

import pytest

from experiment.errors import InvalidInput
from experiment.grid import Grid, load_grid, parse_grid

FULL = load_grid("full")
ENSEMBLES = """
[member.S]
bricks = 1
blocks = 1
filters = 2
[[product]]
dataset = "digits"
method = "single"
members = [["S"], ["ST", "M"]]
seed = [1, 2]
"""


def grid(text: str) -> Grid:
    return parse_grid("g", tomllib.loads(text))


@pytest.mark.parametrize(
    ("choices", "count"),
    [
        (["dataset=mnist"], 13),
        (["dataset=mnist,cifar10"], 26),
        (["dataset = mnist , cifar10 "], 26),
        (["method=l2", "alpha=0.01"], 3),
        (["method=ce, l2", "alpha=1"], 6),
        (["alpha=1e0"], 9),
        (["alpha=1.0,0"], 12),
        (["seed=0"], 39),
        (["seed=0.0"], 39),
        (["members=ST+M"], 39),
        (["epochs=15"], 13),
        (["learning_rate=0.0009765625", "head=wide"], 39),
    ],
)
def test_a_selection_keeps_the_cells_that_match_all_of_it(choices, count):
    assert len(FULL.only(choices).cells) == count


def test_a_selection_of_members_keeps_their_ensembles():
    found = grid(ENSEMBLES).only(["members=S", "seed=2"]).cells

    assert [(c.member_names, c.seed) for c in found] == [("S", 2)]


@pytest.mark.parametrize(
    ("choice", "value", "there"),
    [
        ("method=ce,l3", "l3", "method: single, ce, l2, l1"),
        ("method=L2,ce", "L2", "method: single, ce, l2, l1"),
        ("dataset=minst,cifar10", "minst", "dataset: mnist, cifar10, notmnist"),
        ("method=ce,", "", "method: single, ce, l2, l1"),
        ("method=", "", "method: single, ce, l2, l1"),
        ("alpha=1,0.5", "0.5", "alpha: 0.0, 1.0, 0.1, 0.01, 0.0001"),
        ("alpha=1,big", "big", "alpha: 0.0, 1.0"),
        ("alpha=nan", "nan", "alpha: 0.0, 1.0"),
        ("seed=0,1", "1", "seed: 0"),
        ("members=ST", "ST", r"members: ST\+M"),
        ("members=M+ST", "M+ST", r"members: ST\+M"),
    ],
)
def test_a_value_that_matches_nothing_is_refused_by_name_with_what_there_is(choice, value, there):
    message = f"allowed: values each of which leaves a cell of grid .full. .{there}.*{re.escape(repr(value))} in --only"
    with pytest.raises(InvalidInput, match=message):
        FULL.only([choice])


def test_a_value_that_matches_nothing_beside_the_other_choices_is_refused_with_what_would():
    with pytest.raises(
        InvalidInput, match=r"is 'method=single,ce'; .*\(method: ce, l2, l1\); correct or remove 'single'"
    ):
        FULL.only(["method=single,ce", "alpha=0.01"])


def test_choices_of_which_no_cell_has_all_are_refused():
    text = "[[product]]\ndataset='digits'\nmethod='ce'\nalpha=1\n"
    three = grid(text + "seed=1\nepochs=2\n" + text + "seed=2\nepochs=1\nhead='plain'\n")
    with pytest.raises(InvalidInput, match=r"allowed: .*leaves a cell of grid 'g'"):
        three.only(["seed=1", "epochs=1", "head=plain"])


def test_a_field_may_be_selected_once():
    with pytest.raises(InvalidInput, match="is 'method=l2'; allowed: each field once; write --only method=VALUE,VALUE"):
        FULL.only(["method=ce", "method=l2"])


@pytest.mark.parametrize("choice", ["dataset", "=mnist", "size=3", "", "Method=ce"])
def test_what_is_no_selection_is_refused_with_the_fields(choice):
    with pytest.raises(InvalidInput, match=r"a selection is .*; allowed: FIELD=VALUE.* one of alpha, alpha_plan, "):
        FULL.only([choice])


def test_a_large_grid_is_selected_from_in_a_moment():
    large = FULL.with_seeds(300)
    began = time.monotonic()
    chosen = large.only(["seed=" + ",".join(map(str, range(200))), "method=ce,l2"])

    assert len(chosen.cells) == 24 * 200
    assert time.monotonic() - began < 10


PRODUCT = """
[[product]]
dataset = "digits"
method = ["ce", "l2"]
alpha = [1.0, 0.1, 0]
"""


@pytest.mark.parametrize(
    ("block", "count"),
    [
        ("method = 'ce'", 3),
        ("method = 'ce'\nalpha = [1.0, 0.1]", 4),
        ("alpha = 1", 4),
        ("alpha = [1, 0.0]", 2),
        ("alpha = -0.0", 4),
        ("members = ['ST', 'M']\nalpha = 1", 4),
        ("members = [['ST', 'M']]\nalpha = 1", 4),
        ("seed = 0\nhead = 'wide'\nalpha = 1", 4),
        ("seed = 0.0\nalpha = 1", 4),
        ("weight_decay = 0.0001\nmethod = 'l2'", 3),
    ],
)
def test_an_exclusion_leaves_out_what_it_says_compared_after_defaults(block, count):
    assert len(grid(f"{PRODUCT}[[exclude]]\n{block}").cells) == count


def test_an_exclusion_may_leave_out_what_could_be_no_cell():
    text = "[[product]]\ndataset='digits'\nmethod=['single', 'ce']\nalpha=[0, 1]\n[[exclude]]\nmethod='single'\nalpha=1"

    assert [(c.method, c.alpha) for c in grid(text).cells] == [("single", 0), ("ce", 0), ("ce", 1)]


def test_one_of_several_ensembles_may_be_left_out():
    found = grid(ENSEMBLES + "[[exclude]]\nmembers = ['S']\nseed = 1").cells

    assert [(c.member_names, c.seed) for c in found] == [("S", 2), ("ST+M", 1), ("ST+M", 2)]


def test_an_exclusion_sees_what_a_data_set_s_own_settings_make_of_a_cell():
    text = "[dataset.mnist]\nepochs=3\n[[product]]\ndataset=['digits', 'mnist']\nmethod='single'\n[[exclude]]\nepochs=3"

    assert [c.dataset for c in grid(text).cells] == ["digits"]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("method = 'l1'", r"method of an \[\[exclude\]\] is 'l1'; .*\(ce, l2\); correct or remove it"),
        ("method = ['ce', 'l1']", r"method of an .* is 'l1'; .*\(ce, l2\)"),
        ("alpha = '1'", r"alpha of an .* is '1'; .*\(1.0, 0.1, 0\)"),
        ("alpha = true", r"alpha of an .* is True; "),
        ("alpha = [1, 0.5]", r"alpha of an .* is 0.5; "),
        ("members = ['M', 'ST']", r"members of an .* is \['M', 'ST'\]; "),
        ("members = 'ST'", r"members of an .* is 'ST'; "),
        ("seed = 1", r"seed of an .* is 1; .*\(0\)"),
        ("head = 'plain'\nmethod = 'ce'", r"head of an .* is 'plain'; .*\(wide\)"),
        ("", r"an \[\[exclude\]\] is {}; allowed: at least one setting"),
        ("method = []", r"method of a \[\[exclude\]\] is \[\]; allowed: a value, or a list of at least one"),
    ],
)
def test_an_exclusion_of_nothing_is_refused_with_what_there_is(block, message):
    with pytest.raises(InvalidInput, match=message):
        grid(f"{PRODUCT}[[exclude]]\n{block}")


def test_an_exclusion_of_what_two_cells_have_apart_is_refused():
    apart = "[[product]]\ndataset='digits'\nmethod='ce'\nseed=1\n[[product]]\ndataset='digits'\nmethod='l2'\nseed=2\n"
    with pytest.raises(InvalidInput, match=r"of an \[\[exclude\]\] is .*together with the rest of its block"):
        grid(apart + "[[exclude]]\nmethod='ce'\nseed=2")
