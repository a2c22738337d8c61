"""The collaboration costs against NumPy, their gradients against finite differences, and their limits."""

import numpy as np
import pytest
import tensorflow as tf

from experiment import cell
from trainer.model import costs

PAIRWISE = [name for name, cost in costs.METHODS.items() if cost is not None]


def numpy_cost(name, first, second):
    """An independent version, from the definitions in the paper."""

    def softmax(x):
        return np.exp(x) / np.exp(x).sum(-1, keepdims=True)

    if name == "l2":
        return ((first - second) ** 2).sum(-1).mean()
    if name == "l1":
        return np.abs(first - second).sum(-1).mean()
    p, q = softmax(first), softmax(second)
    return -(p * np.log(q) + q * np.log(p)).sum(-1).mean()


@pytest.fixture
def logits():
    rng = np.random.default_rng(3)
    return rng.normal(0, 2, (5, 10)), rng.normal(0, 2, (5, 10))


def test_every_method_of_a_cell_has_a_cost():
    assert tuple(costs.METHODS) == cell.METHODS


@pytest.mark.parametrize("name", PAIRWISE)
def test_costs_equal_their_definition(name, logits):
    assert costs.METHODS[name](*map(tf.constant, logits)).numpy() == pytest.approx(numpy_cost(name, *logits), rel=1e-12)


@pytest.mark.parametrize("name", PAIRWISE)
def test_gradients_equal_finite_differences_in_both_arguments(name, logits):
    arguments = [tf.constant(x) for x in logits]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        cost = costs.METHODS[name](*arguments)
    gradients = tape.gradient(cost, arguments)
    step = 1e-6
    for which in range(2):
        for place in [(0, 0), (2, 7), (4, 9)]:
            shifted = [[x.copy() for x in logits] for _ in range(2)]
            shifted[0][which][place] += step
            shifted[1][which][place] -= step
            slope = (numpy_cost(name, *shifted[0]) - numpy_cost(name, *shifted[1])) / (2 * step)
            assert gradients[which].numpy()[place] == pytest.approx(slope, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_identical_members_are_at_no_distance(name, logits):
    assert costs.METHODS[name](tf.constant(logits[0]), tf.constant(logits[0])).numpy() == 0


def test_the_cross_entropy_of_identical_members_is_twice_their_entropy(logits):
    p = np.exp(logits[0]) / np.exp(logits[0]).sum(-1, keepdims=True)
    entropy = -(p * np.log(p)).sum(-1).mean()
    same = tf.constant(logits[0])
    assert costs.symmetric_cross_entropy(same, same).numpy() == pytest.approx(2 * entropy, rel=1e-12)


@pytest.mark.parametrize("name", PAIRWISE)
def test_costs_are_symmetric(name, logits):
    a, b = map(tf.constant, logits)
    assert costs.METHODS[name](a, b).numpy() == pytest.approx(costs.METHODS[name](b, a).numpy(), rel=1e-12)


def test_extreme_logits_stay_finite():
    far = tf.constant([[1e4] + [0.0] * 9]), tf.constant([[0.0] * 9 + [1e4]])
    assert np.isfinite(costs.symmetric_cross_entropy(*far).numpy())


def test_more_members_cost_the_sum_over_consecutive_pairs(logits):
    a, b = (x.astype(np.float32) for x in logits)
    c = a + 1
    together = costs.collaboration_cost("l2", [tf.constant(x) for x in (a, b, c)]).numpy()
    assert together == pytest.approx(numpy_cost("l2", a, b) + numpy_cost("l2", b, c), rel=1e-5)


def test_single_members_do_not_collaborate(logits):
    assert costs.collaboration_cost("single", [tf.constant(x) for x in logits]).numpy() == 0
