"""The layers of a member: the paper's counts, widths and biases."""

import math

import numpy as np
import pytest
import tensorflow as tf

from experiment.cell import Cell
from experiment.members import MEMBERS
from trainer.model import export
from trainer.model.architecture import (
    count_costs,
    count_multiply_adds,
    count_parameters,
    member_layers,
    residual_blocks,
)
from trainer.model.networks import Network


@pytest.mark.parametrize(
    ("member", "head", "count"),
    [("ST", "wide", 47_098), ("M", "wide", 283_450), ("ST", "plain", 44_730), ("M", "plain", 274_618)],
)
def test_parameter_counts_are_the_papers_to_the_unit(member, head, count):
    assert count_parameters(MEMBERS[member], 1, head) == count


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


def test_the_exported_model_has_as_many_parameters(trained_like):
    network, shape, theta, moments, _ = trained_like
    model = export.to_keras(network, shape, network.arrays(theta, moments))
    trainable = sum(math.prod(w.shape) for w in model.trainable_weights)

    assert count_parameters(network.member, shape[2], network.head) == trainable


def multiply_adds_of_graph(network, shape):
    """The multiply-adds of one image by the operations that TensorFlow runs and the shapes that it finds for them."""

    def infer(images):
        theta, moments = tf.zeros(network.size), tf.zeros(network.moments_size)
        return network.forward(theta, moments, images, training=False, dtype=tf.float32)[0]

    graph = tf.function(infer).get_concrete_function(tf.TensorSpec((1, *shape), tf.float32)).graph
    products = [op for op in graph.get_operations() if op.type in ("Conv2D", "MatMul")]
    kernels = [op.inputs[1].shape.as_list() for op in products]
    return sum(math.prod(op.outputs[0].shape) * math.prod(k[:-1]) for op, k in zip(products, kernels, strict=True))


def test_multiply_adds_are_those_of_the_graph_that_runs(trained_like):
    network, shape, *_ = trained_like

    assert count_multiply_adds(network.member, shape, network.head) == multiply_adds_of_graph(network, shape)


@pytest.mark.parametrize(("member", "count"), [("ST", 4_324_096), ("M", 28_020_224)])
def test_multiply_adds_of_the_papers_members_on_its_images(member, count):
    network = Network(MEMBERS[member], 1, "wide")

    assert count_multiply_adds(network.member, (28, 28, 1), "wide") == count
    assert multiply_adds_of_graph(network, (28, 28, 1)) == count


def test_an_ensemble_takes_what_its_members_take_together():
    costs = count_costs(Cell(dataset="mnist", method="single", alpha=0.0, head="plain"))

    assert list(costs) == ["ST", "M", "Ens"]
    assert [own["parameters"] for own in costs.values()] == [44_730, 274_618, 319_348]
    assert costs["Ens"]["multiply_adds"] == np.sum([costs[m]["multiply_adds"] for m in ("ST", "M")])
