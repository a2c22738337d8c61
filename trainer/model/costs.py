"""The costs: collaboration as pure functions of logits (Noel 2017, section 5.2, and others), cross-entropy, weight decay."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

Cost = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def symmetric_cross_entropy(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns the mean over the batch of ``-sum_i (p1_i log p2_i + p2_i log p1_i)``, p = softmax(logits).

    Gradients flow through both arguments of both terms.

    Args:
        first: logits, (batch, classes).
        second: logits, (batch, classes).

    Returns:
        a scalar in nats; twice the entropy where both arguments are the same.
    """
    terms = tf.nn.softmax(first) * tf.nn.log_softmax(second) + tf.nn.softmax(second) * tf.nn.log_softmax(first)
    return -tf.reduce_mean(tf.reduce_sum(terms, axis=-1))


def squared_distance(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns the mean over the batch of ``sum_i (l1_i - l2_i)^2`` of logits, (batch, classes) each."""
    return tf.reduce_mean(tf.reduce_sum(tf.math.squared_difference(first, second), axis=-1))


def absolute_distance(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns the mean over the batch of ``sum_i |l1_i - l2_i|`` of logits, (batch, classes) each."""
    return tf.reduce_mean(tf.reduce_sum(tf.abs(first - second), axis=-1))


def cross_entropy_to(own: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Returns the mean over the batch of ``-sum_i p_target_i log p_own_i``, p = softmax(logits), of logits (batch, classes)."""
    return -tf.reduce_mean(tf.reduce_sum(tf.nn.softmax(target) * tf.nn.log_softmax(own), axis=-1))


class Method(NamedTuple):
    """A way to collaborate.

    Attributes:
        cost: of a member's logits and those that they are compared with.
        one_sided: whether a member is drawn to a target that stands still; else both sides of a pair move.
        to_mean: whether the target is the mean of all logits that members are compared with; else it is each peer's.
    """

    cost: Cost
    one_sided: bool = False
    to_mean: bool = False


METHODS: dict[str, Method | None] = {
    "single": None,  # the members are trained independently
    "ce": Method(symmetric_cross_entropy),
    "l2": Method(squared_distance),
    "l1": Method(absolute_distance),
    "mutual": Method(cross_entropy_to, one_sided=True),  # deep mutual learning, Zhang et al. (2018)
    "consensus": Method(cross_entropy_to, one_sided=True, to_mean=True),  # as Lan et al. (2018), without their gate
    "distillation": Method(
        cross_entropy_to, one_sided=True, to_mean=True
    ),  # of a teacher that stands: Hinton et al. (2015)
}
PAIRS: dict[str, Callable[[range], Iterable[tuple[int, int]]]] = {
    "chain": itertools.pairwise,
    "all": lambda members: itertools.combinations(members, 2),
}


@dataclass(frozen=True)
class Collaboration:
    """Who is compared with whom, how, and who pays.

    Attributes:
        method: a key of ``METHODS``.
        pairs: a key of ``PAIRS``.
        pull: a weight for each member, which pays it times the cost of the distance to its targets as if they stood still;
            empty: each pays once, by the method's own gradient.
        temperature: that divides the logits; the cost is multiplied by its square, which keeps the size of the gradients
            (Hinton et al. 2015).
        mean: whether the cost is the mean over the pairs, not their sum.
    """

    method: str
    pairs: str = "chain"
    pull: tuple[float, ...] = ()
    temperature: float = 1.0
    mean: bool = False


def collaboration_cost(
    form: Collaboration, logits: Sequence[tf.Tensor], standing: Sequence[tf.Tensor] | None = None
) -> tf.Tensor:
    """Returns the collaboration cost of an ensemble: a sum over pairs of members or, to the mean, over members.

    Args:
        logits: one (batch, classes) tensor per member.
        standing: the logits that the members are compared with, if these are not ``logits``: their own as they were some time
            ago, or a teacher's; no gradient flows to them.

    Returns:
        a float32 scalar; 0 for ``single``. With all pairs, K members pay K (K - 1) / 2 terms rather than K - 1.
    """
    method = METHODS[form.method]
    if method is None:
        return tf.zeros(())
    cost = _soften(method.cost, form.temperature)
    pairs = list(PAIRS[form.pairs](range(len(logits))))
    share = 1 / len(pairs) if form.mean else 1.0
    if standing is None and not method.one_sided and not form.pull:
        return _add([(share, cost(logits[a], logits[b])) for a, b in pairs])
    seen = logits if standing is None else standing
    if method.to_mean:
        mean = tf.add_n(seen) / len(seen)
        targets = [(own, mean) for own in range(len(logits))]
    else:
        targets = [(own, seen[peer]) for a, b in pairs for own, peer in ((a, b), (b, a))]
    weights = form.pull or (1.0,) * len(logits)
    return _add([(share * weights[own], cost(logits[own], tf.stop_gradient(target))) for own, target in targets])


def _add(terms: Sequence[tuple[float, tf.Tensor]]) -> tf.Tensor:
    return tf.add_n([term if weight == 1 else weight * term for weight, term in terms])


def _soften(cost: Cost, temperature: float) -> Cost:
    if temperature == 1:
        return cost
    return lambda own, target: temperature**2 * cost(own / temperature, target / temperature)


def batch_cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Returns the mean cross-entropy in nats of integer labels (batch,) and logits (batch, classes)."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def smooth_cross_entropy(entropy: tf.Tensor, logits: tf.Tensor, smoothing: float) -> tf.Tensor:
    """Returns the mean cross-entropy with smoothed labels (Szegedy et al. 2016): the right class has 1 - ``smoothing``.

    The rest is spread evenly over all classes, the right one too.

    Args:
        entropy: the cross-entropy with the labels as they are.
        logits: (batch, classes).
    """
    if not smoothing:
        return entropy
    return (1 - smoothing) * entropy - smoothing * tf.reduce_mean(tf.nn.log_softmax(logits))


def label_costs(
    labels: tf.Tensor, logits: Sequence[tf.Tensor], smoothing: float
) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Returns each member's cross-entropy with the labels as they are, and with smoothed labels, which it pays."""
    entropies = [batch_cross_entropy(labels, each) for each in logits]
    pairs = zip(entropies, logits, strict=True)
    return entropies, [smooth_cross_entropy(entropy, each, smoothing) for entropy, each in pairs]


def weight_decay_cost(theta: tf.Tensor, decayed: tf.Tensor, weight_decay: tf.Tensor | float) -> tf.Tensor:
    """Returns ``weight_decay`` x (sum of squares) / 2 of the parameters (size,) where ``decayed`` (size,) is 1, not 0."""
    return weight_decay * tf.nn.l2_loss(theta * decayed)
