"""The names under which the author's program recorded its weights: every parameter and moment of ours has one of its own."""

import numpy as np
import pytest

from benchmarks.program_steps import recorded_name
from experiment.members import MEMBERS
from trainer.model.networks import Network
from trainer.model.recipe import RECIPES


@pytest.mark.parametrize(
    ("ours", "recorded"),
    [
        ("input/mean", ("input", "moving_mean")),
        ("first/kernel", ("first", "kernel")),
        ("first/bias", ("first", "bias")),
        ("brick0/block1/norm2/bias", ("b0r1n2", "beta")),
        ("brick0/block1/norm2/variance", ("b0r1n2", "moving_variance")),
        ("brick2/block0/conv2/bias", ("b2r0c2", "bias")),
        ("brick1/down/norm2/bias", ("b1dn2", "beta")),
        ("brick1/down/conv1/kernel", ("b1dc1", "kernel")),
        ("brick1/down/shortcut/bias", ("b1dsc", "bias")),
        ("logits/kernel", ("logits", "kernel")),
    ],
)
def test_a_name_of_ours_stands_for_one_of_the_record(ours, recorded):
    assert recorded_name(ours) == recorded


@pytest.mark.parametrize("member", MEMBERS)
def test_no_two_names_of_a_network_stand_for_one_of_the_record(member):
    network = Network(MEMBERS[member], 1, "plain", RECIPES["program"])
    names = list(network.arrays(np.zeros(network.size, np.float32), network.initial_moments()))
    assert len({recorded_name(name) for name in names}) == len(names)
