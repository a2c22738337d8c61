"""The form of a grid file is checked before any of it is used, and the error names the place."""

from __future__ import annotations

import tomllib

import pytest

from experiment.errors import InvalidInput
from experiment.grid_form import check_form

GOOD = """
expect = 1
[base]
epochs = 1
[dataset.digits]
epochs = 2
[member.X]
bricks = 1
[[product]]
dataset = "digits"
[[exclude]]
method = "ce"
"""


def test_every_table_of_a_grid_is_allowed():
    check_form("g", tomllib.loads(GOOD))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bases = 3", "a table of grid 'g' is 'bases'; allowed: base, data, dataset, member, product, exclude, expect"),
        ("base = 3", r"base is 3; allowed: a table; write \[base\]"),
        ("[dataset]\nmnist = 3", r"dataset.mnist is 3; allowed: a table; write \[dataset.mnist\]"),
        ("[dataset.minst]\nepochs = 3", r"a \[dataset.NAME\] is 'minst'; allowed: digits, mnist"),
        ("[product]\nseed = 1", r"product is .*; allowed: blocks, each begun by \[\[product\]\]"),
        ("[member.X]\nname = 'Y'", r"the name in \[member.X\] is 'Y'; allowed: none; leave it out"),
        ("[[exclude]]\ncolour = 1", r"a setting of \[\[exclude\]\] is 'colour'; allowed: dataset, method"),
    ],
)
def test_another_form_is_refused_with_its_place(text, message):
    with pytest.raises(InvalidInput, match=message):
        check_form("g", tomllib.loads(text))
