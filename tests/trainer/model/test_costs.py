"""The collaboration costs against NumPy, their gradients against finite differences, and their limits."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from experiment import cell
from trainer.model import costs

TWO_SIDED = ["ce", "l2", "l1"]


def numpy_cost(name, own, target):
    """An independent version, from the definitions."""
    p, q = (np.exp(x) / np.exp(x).sum(-1, keepdims=True) for x in (own, target))
    return {
        "l2": lambda: ((own - target) ** 2).sum(-1).mean(),
        "l1": lambda: np.abs(own - target).sum(-1).mean(),
        "ce": lambda: -(p * np.log(q) + q * np.log(p)).sum(-1).mean(),
        "mutual": lambda: -(q * np.log(p)).sum(-1).mean(),
        "consensus": lambda: -(q * np.log(p)).sum(-1).mean(),
        "distillation": lambda: -(q * np.log(p)).sum(-1).mean(),
    }[name]()


def numpy_collaboration(form, logits, fixed=None):
    """An independent version of the whole cost, in which the targets are of ``fixed`` logits."""
    fixed = logits if fixed is None else fixed
    count, t = len(logits), form.temperature
    to_mean = form.method in ("consensus", "distillation")
    near = {"chain": lambda i, j: abs(i - j) == 1, "all": lambda i, j: i != j}[form.pairs]
    cost = 0.0
    for i in range(count):
        targets = [sum(fixed) / len(fixed)] if to_mean else [fixed[j] for j in range(count) if near(i, j)]
        weight = form.pull[i] if form.pull else 1.0
        cost += weight * sum(t**2 * numpy_cost(form.method, logits[i] / t, target / t) for target in targets)
    both_pay = form.method in TWO_SIDED and not form.pull  # then each pair counts once, not once for either side
    return cost / 2 if both_pay else cost


@pytest.fixture
def logits():
    rng = np.random.default_rng(3)
    return rng.normal(0, 2, (5, 10)), rng.normal(0, 2, (5, 10))


def test_every_method_of_a_cell_has_a_cost():
    assert tuple(costs.METHODS) == cell.METHODS


@pytest.mark.parametrize("name", [name for name, method in costs.METHODS.items() if method])
def test_costs_equal_their_definition(name, logits):
    cost = costs.METHODS[name].cost(*map(tf.constant, logits))
    assert cost.numpy() == pytest.approx(numpy_cost(name, *logits), rel=1e-12)


@pytest.mark.parametrize("name", TWO_SIDED)
def test_gradients_equal_finite_differences_in_both_arguments(name, logits):
    arguments = [tf.constant(x) for x in logits]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        cost = costs.METHODS[name].cost(*arguments)
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
    assert costs.METHODS[name].cost(tf.constant(logits[0]), tf.constant(logits[0])).numpy() == 0


def test_the_cross_entropy_of_identical_members_is_twice_their_entropy(logits):
    p = np.exp(logits[0]) / np.exp(logits[0]).sum(-1, keepdims=True)
    entropy = -(p * np.log(p)).sum(-1).mean()
    same = tf.constant(logits[0])
    assert costs.symmetric_cross_entropy(same, same).numpy() == pytest.approx(2 * entropy, rel=1e-12)


@pytest.mark.parametrize("name", TWO_SIDED)
def test_costs_are_symmetric(name, logits):
    a, b = map(tf.constant, logits)
    cost = costs.METHODS[name].cost
    assert cost(a, b).numpy() == pytest.approx(cost(b, a).numpy(), rel=1e-12)


def test_extreme_logits_stay_finite():
    far = tf.constant([[1e4] + [0.0] * 9]), tf.constant([[0.0] * 9 + [1e4]])
    assert np.isfinite(costs.symmetric_cross_entropy(*far).numpy())


FORMS = [
    costs.Collaboration(method, pairs, pull, temperature)
    for method in costs.METHODS
    for pairs in costs.PAIRS
    for pull in ((), (1.0, 0.0, 0.5))
    for temperature in (1.0, 3.0)
    if method != "single"
]


@pytest.mark.parametrize(
    "form", FORMS, ids=lambda f: f"{f.method}-{f.pairs}-{'pull' if f.pull else 'even'}-{f.temperature}"
)
def test_three_members_collaborate_as_defined_and_their_gradients_are_finite_differences(form):
    logits = list(np.random.default_rng(4).normal(0, 2, (3, 5, 10)))
    arguments = [tf.constant(x) for x in logits]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        cost = costs.collaboration_cost(form, arguments)
    assert cost.numpy() == pytest.approx(numpy_collaboration(form, logits), rel=1e-12)
    both_pay = form.method in TWO_SIDED and not form.pull
    gradients = tape.gradient(cost, arguments, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    step, place = 1e-5, (2, 7)
    for which in range(3):
        ends = []
        for sign in (1, -1):
            moved = [x.copy() for x in logits]
            moved[which][place] += sign * step
            ends.append(numpy_collaboration(form, moved, moved if both_pay else logits))
        slope = (ends[0] - ends[1]) / (2 * step)
        assert gradients[which].numpy()[place] == pytest.approx(slope, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("name", TWO_SIDED)
def test_members_that_each_pay_once_move_as_pairs_do_that_pay_together(name, logits):
    """A pull of 1 for each member changes no gradient of the paper's costs: its limit is known."""
    arguments = [tf.constant(x) for x in logits]

    def gradients(pull):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            cost = costs.collaboration_cost(costs.Collaboration(name, pull=pull), arguments)
        return tape.gradient(cost, arguments, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    together, each, first = gradients(()), gradients((1.0, 1.0)), gradients((1.0, 0.0))
    np.testing.assert_allclose(each, together, rtol=1e-12)
    np.testing.assert_allclose(first[0], together[0], rtol=1e-12)
    assert not first[1].numpy().any()


@pytest.mark.parametrize("name", [name for name, method in costs.METHODS.items() if method])
def test_standing_logits_take_the_place_of_the_peers_and_get_no_gradient(name, logits):
    """Two members beside the two that stand: each is compared with the other's standing logits, or with their mean."""
    rng = np.random.default_rng(6)
    standing = list(rng.normal(0, 2, (2, 5, 10)))
    own, peers = ([tf.constant(x) for x in each] for each in (logits, standing))
    with tf.GradientTape() as tape:
        tape.watch([*own, *peers])
        cost = costs.collaboration_cost(costs.Collaboration(name), own, peers)
    targets = [sum(standing) / 2] * 2 if name in ("consensus", "distillation") else standing[::-1]
    expected = sum(numpy_cost(name, x, t) for x, t in zip(logits, targets, strict=True))
    assert cost.numpy() == pytest.approx(expected, rel=1e-12)
    gradients = tape.gradient(cost, [*own, *peers])
    assert all(g is not None for g in gradients[:2])
    assert gradients[2:] == [None, None]


@pytest.mark.parametrize("form", [costs.Collaboration("distillation", temperature=t) for t in (1.0, 4.0)], ids=str)
def test_one_student_learns_from_the_mean_of_three_that_stand(form, logits):
    standing = list(np.random.default_rng(7).normal(0, 2, (3, 5, 10)))
    own, peers = tf.constant(logits[0]), [tf.constant(x) for x in standing]
    with tf.GradientTape() as tape:
        tape.watch(own)
        cost = costs.collaboration_cost(form, [own], peers)
    assert cost.numpy() == pytest.approx(numpy_collaboration(form, logits[:1], standing), rel=1e-12)
    t, target = form.temperature, sum(standing) / 3
    p, q = (np.exp(x / t) / np.exp(x / t).sum(-1, keepdims=True) for x in (logits[0], target))
    np.testing.assert_allclose(tape.gradient(cost, own), t * (p - q) / 5, rtol=1e-9)  # Hinton et al. (2015), equation 2


def test_the_gradient_of_mutual_learning_is_the_difference_of_the_predictions(logits):
    """So Zhang et al. (2018) derive it, and so the author's program trained what the paper calls CE."""
    arguments = [tf.constant(x) for x in logits]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        cost = costs.collaboration_cost(costs.Collaboration("mutual"), arguments)
    p, q = (np.exp(x) / np.exp(x).sum(-1, keepdims=True) for x in logits)
    np.testing.assert_allclose(tape.gradient(cost, arguments), [(p - q) / 5, (q - p) / 5], rtol=1e-9)


def test_a_high_temperature_compares_logits(logits):
    """Hinton et al. (2015): the gradient nears that of half the squared distance over the classes, of logits of mean zero."""
    own, target = (x - x.mean(-1, keepdims=True) for x in logits)
    variable = tf.constant(own)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        cost = costs.collaboration_cost(costs.Collaboration("mutual", temperature=1e4), [variable, tf.constant(target)])
    np.testing.assert_allclose(tape.gradient(cost, variable), (own - target) / 10 / 5, rtol=1e-2, atol=1e-4)


def test_the_mean_over_pairs_is_their_sum_divided_by_their_number():
    logits = [tf.constant(x) for x in np.random.default_rng(5).normal(0, 2, (4, 5, 10))]
    for form in (costs.Collaboration("l2"), costs.Collaboration("l1", "all", (1.0, 2.0, 0.0, 1.0))):
        mean = costs.collaboration_cost(dataclasses.replace(form, mean=True), logits).numpy()
        pairs = {"chain": 3, "all": 6}[form.pairs]
        assert mean == pytest.approx(costs.collaboration_cost(form, logits).numpy() / pairs, rel=1e-12)


def test_smoothed_labels_give_the_cross_entropy_of_their_definition_and_its_gradient(logits):
    labels, smoothing = np.array([0, 3, 9, 9, 5]), 0.1
    target = np.full((5, 10), smoothing / 10)
    target[np.arange(5), labels] += 1 - smoothing
    p = np.exp(logits[0]) / np.exp(logits[0]).sum(-1, keepdims=True)
    given = tf.constant(logits[0])
    with tf.GradientTape() as tape:
        tape.watch(given)
        entropy = costs.batch_cross_entropy(tf.constant(labels), given)
        cost = costs.smooth_cross_entropy(entropy, given, smoothing)
    assert cost.numpy() == pytest.approx(-(target * np.log(p)).sum(-1).mean(), rel=1e-12)
    np.testing.assert_allclose(tape.gradient(cost, given), (p - target) / 5, atol=1e-12)


def test_labels_as_they_are_leave_the_cross_entropy_itself(logits):
    entropy = tf.constant(1.0)
    assert costs.smooth_cross_entropy(entropy, tf.constant(logits[0]), 0.0) is entropy


def test_single_members_do_not_collaborate(logits):
    assert costs.collaboration_cost(costs.Collaboration("single"), [tf.constant(x) for x in logits]).numpy() == 0
