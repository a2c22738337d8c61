"""The five statements of section 6.1 about L2 0.01, tested on learning curves, gaps and final errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aggregator.claims.verdict import Claim, Demand, Part, demand_all, judge_claim, part_in_points
from aggregator.claims.whole_grid import has_comparable_error, has_lower_error
from aggregator.statistics import Difference, binomial_difference, paired_difference
from aggregator.study import ERROR, SINGLE, Study, Treatment
from experiment.cell import ENSEMBLE

L2 = Treatment("l2", 0.01)
SIMILAR = 2.0  # percentage points between two training curves that are "very similar"
TRAIN_ERROR, AGREEMENT = "train_error", "test_agreement"
Term = tuple[Treatment, str, str, float]  # treatment, model, column, factor
_OF_THE_SET = "undecided without results of that data set."


def _studies_with_both(studies: Sequence[Study], dataset: str = "") -> list[Study]:
    """Returns the studies (of one data set, if given) that hold cells of L2 0.01 and of Single."""
    return [s for s in studies if {L2, SINGLE} <= set(s.treatments) and dataset in ("", s.dataset)]


def curve_roughness(curve: pd.DataFrame) -> pd.DataFrame:
    """Returns how far each epoch lies from the line through its neighbours, by epoch and seed: 0 on any straight line."""
    return curve.diff().diff().abs().dropna()


def has_smoother_curve(study: Study, model: str) -> Part:
    """Returns the comparison that holds if the test error of L2 0.01 jumps less from epoch to epoch than Single's."""
    a, b = (curve_roughness(100 * study.curve(t, model)) for t in (L2, SINGLE))
    says = f"{study.title}: the curve of {model} of {L2.title} is smoother than that of Single"
    seeds = a.columns.intersection(b.columns)
    if not len(seeds):
        return Part(says=says, difference=None)
    a, b = a[seeds], b[seeds]
    if len(seeds) > 1:
        return Part(says=says, difference=paired_difference(a.mean().to_numpy(), b.mean().to_numpy()))
    difference = paired_difference(a[seeds[0]].to_numpy(), b[seeds[0]].to_numpy(), "paired t over epochs")
    return Part(says=says, difference=difference)


def sum_finals(study: Study, terms: Sequence[Term]) -> Difference | None:
    """Returns a sum of final shares times their factors, paired over seeds or, with one run, as independent binomials.

    Args:
        terms: columns named train_* count training examples, others test examples.
    """
    values = [study.final(t, model, column) for t, model, column, _ in terms]
    factors = [factor for *_, factor in terms]
    seeds = _common_seeds(values)
    if not len(seeds):
        return None
    if len(seeds) > 1:
        total = sum(v[seeds].to_numpy() * f for v, f in zip(values, factors, strict=True))
        return paired_difference(np.asarray(total), np.zeros(len(seeds)))
    sizes = [study.size("train_examples" if c.startswith("train") else "test_examples") for _, _, c, _ in terms]
    return binomial_difference([float(v[seeds[0]]) for v in values], sizes, factors)


def difference_of_distances(study: Study, first: str, last: str) -> Difference | None:
    """Returns by how much the distance between two members' test errors is larger with L2 0.01 than in Single."""
    seeds = _common_seeds([study.final(t, m) for t in (L2, SINGLE) for m in (first, last)])
    if not len(seeds):
        return None
    terms: list[Term] = []
    for treatment, factor in ((L2, 1), (SINGLE, -1)):
        a, b = (study.final(treatment, member)[seeds] for member in (first, last))
        sign = factor * (float(np.sign((a - b).mean())) or 1.0)
        terms += [(treatment, first, ERROR, sign), (treatment, last, ERROR, -sign)]
    return sum_finals(study, terms)


def _common_seeds(values: Sequence[pd.Series]) -> pd.Index:
    seeds = values[0].index
    for v in values[1:]:
        seeds = seeds.intersection(v.index)
    return seeds


def smoother_curves(studies: Sequence[Study]) -> Claim:
    """Judges statement L2-1: learning curves are smoother."""
    demands = [demand_all(s.title, [has_smoother_curve(s, m) for m in s.models]) for s in _studies_with_both(studies)]
    return judge_claim(
        name="L2-1",
        statement="Collaborative models have smoother learning curves.",
        rule="On every data set of the run and for every model the test error of L2 0.01 departs less from the line "
        "through its neighbouring epochs than that of Single. With one run pairs are epochs, which are not independent.",
        demands=demands,
    )


def _demand_lower_errors(study: Study, what: str) -> Demand:
    return demand_all(what, [has_lower_error(study, (L2, m), (SINGLE, m)) for m in study.models])


def better_on_mnist(studies: Sequence[Study]) -> Claim:
    """Judges statement L2-2: final results on MNIST are better."""
    return judge_claim(
        name="L2-2",
        statement="On MNIST the smoother curve leads to better final results.",
        rule=f"On MNIST every model of L2 0.01 has a lower test error than that of Single; {_OF_THE_SET}",
        demands=[_demand_lower_errors(s, s.title) for s in _studies_with_both(studies, "mnist")],
    )


def resists_overfitting(studies: Sequence[Study]) -> Claim:
    """Judges statement L2-3: on notMNIST models overfit less and do as well."""
    demands = []
    for s in _studies_with_both(studies, "notmnist"):
        demands.append(demand_all("less overfitting", [_has_smaller_gap(s, m) for m in s.models]))
        comparable = [has_comparable_error(s, (L2, m), (SINGLE, m)) for m in s.models]
        demands.append(demand_all("comparable results", comparable))
    return judge_claim(
        name="L2-3",
        statement="On notMNIST, whose training labels are noisy, collaborative models resist overfitting and reach "
        "comparable results.",
        rule="On notMNIST for every model the gap between test and train error is lower with L2 0.01, and its test error "
        f"at most a tenth worse than that of Single; {_OF_THE_SET}",
        demands=demands,
    )


def _has_smaller_gap(study: Study, model: str) -> Part:
    gaps: list[Term] = [(L2, model, ERROR, 1), (L2, model, TRAIN_ERROR, -1)]
    gaps += [(SINGLE, model, ERROR, -1), (SINGLE, model, TRAIN_ERROR, 1)]
    says = f"{study.title}: test minus train error of {model} is lower with {L2.title}"
    return part_in_points(says, sum_finals(study, gaps))


def same_training_better_test(studies: Sequence[Study]) -> Claim:
    """Judges statement L2-4: on CIFAR10 training curves are alike and test errors are lower."""
    demands = []
    for s in _studies_with_both(studies, "cifar10"):
        near = [_has_near_training_curve(s, m, sign) for m in s.models for sign in (1, -1)]
        demands.append(demand_all("similar training curves", near))
        demands.append(_demand_lower_errors(s, "better test"))
    return judge_claim(
        name="L2-4",
        statement="On CIFAR10 collaborative models have very similar learning curves on the training set, yet "
        "outperform on the test set.",
        rule=f"On CIFAR10 for every model the train error averaged over epochs is within {SIMILAR:g} pp of that of Single, "
        f"and the final test error is lower; {_OF_THE_SET}",
        demands=demands,
    )


def _has_near_training_curve(study: Study, model: str, sign: int) -> Part:
    word = "above" if sign > 0 else "below"
    near = f"lies on average less than {SIMILAR:g} pp {word} that of Single"
    says = f"{study.title}: the training curve of {model} {near}"
    return Part(says=says, difference=_training_difference(study, model, sign), bound=SIMILAR)


def _training_difference(study: Study, model: str, sign: int) -> Difference | None:
    a, b = (100 * study.curve(t, model, TRAIN_ERROR) for t in (L2, SINGLE))
    seeds = a.columns.intersection(b.columns)
    if not len(seeds):
        return None
    if len(seeds) > 1:
        x, y = (c[seeds].mean().to_numpy() * sign for c in (a, b))
        return paired_difference(x, y)
    n = study.size("train_examples")
    rates = [float(v) / 100 for c in (a, b) for v in c[seeds[0]]]
    factors = [sign / len(a)] * len(a) + [-sign / len(b)] * len(b)
    return binomial_difference(rates, [n] * len(rates), factors).scaled(100)


def members_more_alike(studies: Sequence[Study]) -> Claim:
    """Judges statement L2-5: members perform more alike."""
    demands = []
    for s in _studies_with_both(studies):
        first, last = s.members[0], s.members[-1]
        if first == last:
            continue
        says = f"{s.title}: the test errors of {first} and {last} lie closer together with {L2.title}"
        parts = [part_in_points(says, difference_of_distances(s, first, last))]
        if all(len(s.final(t, ENSEMBLE, AGREEMENT)) for t in (L2, SINGLE)):
            agreement = sum_finals(s, [(SINGLE, ENSEMBLE, AGREEMENT, 1), (L2, ENSEMBLE, AGREEMENT, -1)])
            parts.append(part_in_points(f"{s.title}: members of {L2.title} agree on more test examples", agreement))
        demands.append(demand_all(s.title, parts))
    return judge_claim(
        name="L2-5",
        statement="The models of collaborative ensembles have more similar performance than those of traditional ones.",
        rule="On every data set of the run the test errors of the members lie closer together with L2 0.01 than in Single, "
        "and (where recorded) members agree on more test examples.",
        demands=demands,
    )


CLAIMS = (smoother_curves, better_on_mnist, resists_overfitting, same_training_better_test, members_more_alike)
