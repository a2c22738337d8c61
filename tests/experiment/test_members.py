"""The members of an ensemble, and what may be trained together or alone."""

from __future__ import annotations

import pytest

from experiment.cell import Cell
from experiment.errors import InvalidInput
from experiment.members import MEMBERS, Member


def test_the_members_of_the_paper_are_known():
    assert (MEMBERS["ST"], MEMBERS["M"]) == (
        Member(name="ST", bricks=3, blocks=1, filters=8),
        Member(name="M", bricks=3, blocks=2, filters=16),
    )


def test_one_member_alone_cannot_collaborate():
    with pytest.raises(InvalidInput, match="allowed: single or distillation; add a member"):
        Cell(dataset="digits", method="l2", members=(MEMBERS["M"],))
    assert Cell(dataset="digits", method="single", members=(MEMBERS["M"],)).models == ("M", "Ens")


def test_two_members_of_one_name_are_refused():
    with pytest.raises(InvalidInput, match=r"members is \['M', 'M'\]; allowed: 1 to 16 members with different names"):
        Cell(dataset="digits", method="l2", members=(MEMBERS["M"],) * 2)


@pytest.mark.parametrize(
    ("dataset", "bricks", "good"),
    [
        ("digits", 4, True),
        ("digits", 5, False),
        ("mnist", 3, True),
        ("mnist", 4, False),
        ("cifar10", 6, True),
        ("cifar10", 7, False),
    ],
)
def test_an_odd_image_size_before_a_halving_is_refused_by_name(dataset, bricks, good):
    members = (Member(name="Deep", bricks=bricks, blocks=1, filters=4),)
    if good:
        assert Cell(dataset=dataset, method="single", members=members)
    else:
        with pytest.raises(
            InvalidInput, match=f"the number of bricks of member Deep on {dataset} .* is {bricks}; .*; use fewer bricks"
        ):
            Cell(dataset=dataset, method="single", members=members)


@pytest.mark.parametrize("name", ["Ens", "", "1st", "a-b", "a" * 17, "é", "a/b", 3, None], ids=repr)
def test_a_member_s_name_is_letters_and_digits_and_not_the_ensemble_s(name):
    with pytest.raises(InvalidInput, match=r"a member's name is .*; rename it"):
        Member(name=name, bricks=1, blocks=1, filters=1)


@pytest.mark.parametrize("field", ["bricks", "blocks", "filters"])
@pytest.mark.parametrize("value", [0, 2000, 1.5, "3", True], ids=repr)
def test_a_member_s_sizes_are_checked(field, value):
    with pytest.raises(InvalidInput, match=f"{field} of member X is .*; allowed: a whole number from 1 to"):
        Member(**{"name": "X", "bricks": 1, "blocks": 1, "filters": 1, field: value})
