"""The layers of a member: the paper's counts, widths and biases."""

import pytest

from experiment.cell import MEMBERS
from trainer.model.architecture import member_layers, residual_blocks


@pytest.mark.parametrize(
    ("member", "head", "count"),
    [("ST", "wide", 47_098), ("M", "wide", 283_450), ("ST", "plain", 44_730), ("M", "plain", 274_618)],
)
def test_parameter_counts_are_the_papers_to_the_unit(member, head, count):
    layers = member_layers(MEMBERS[member], 1, head)
    assert sum(p.size for layer in layers for p in layer.parameters) == count


@pytest.mark.parametrize(("member", "convolutions", "width"), [("ST", 12, 64), ("M", 18, 128)])
def test_the_wide_head_has_the_papers_convolutions_and_penultimate_width(member, convolutions, width):
    layers = member_layers(MEMBERS[member], 1, "wide")
    main_path = [x for x in layers if x.kind == "conv" and not x.name.endswith("shortcut")]
    assert len(main_path) == convolutions
    assert layers[-1].channels == (width, 10)


def test_biases_stand_where_the_paper_has_them():
    biased = {x.name for x in member_layers(MEMBERS["M"], 1, "wide") if x.kind == "conv" and x.bias}
    expected = {"first"}
    for name, _, shortcut in residual_blocks(MEMBERS["M"]):
        expected.add(f"{name}/shortcut" if shortcut else f"{name}/conv2")
    assert biased == expected
