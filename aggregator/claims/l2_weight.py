"""The five statements of section 6.1 about L2 0.01, tested on learning curves, gaps and final errors."""

from __future__ import annotations

from collections.abc import Sequence

from aggregator.claims.columns import AGREEMENT, ROUGHNESS, TRAIN_ERROR, TRAINING, Term, distance_of
from aggregator.claims.parts import Part, make_part
from aggregator.claims.verdict import Claim, Demand, demand_all
from aggregator.claims.whole_grid import has_comparable_error, has_lower_error
from aggregator.study import ERROR, SINGLE, Study, Treatment
from experiment.members import ENSEMBLE

L2 = Treatment("l2", 0.01)
SIMILAR = 2.0  # percentage points between two training curves that are "very similar"
_OF_THE_SET = "undecided without results of that data set."
_LACKS = "cells of L2 0.01 and of Single"


def _studies_with_both(studies: Sequence[Study], dataset: str = "") -> list[Study]:
    """Returns the studies (of one data set, if given) that hold cells of L2 0.01 and of Single."""
    return [s for s in studies if {L2, SINGLE} <= set(s.treatments) and dataset in ("", s.dataset)]


def has_smoother_curve(study: Study, model: str) -> Part:
    """Returns the comparison that holds if the test error of L2 0.01 jumps less from epoch to epoch than Single's."""
    says = f"the curve of {model} of {L2.title} is less restless than that of Single"
    terms = [Term(L2, model, 1, ROUGHNESS), Term(SINGLE, model, -1, ROUGHNESS)]
    return make_part(study, says, terms, reference=[terms[1]._replace(factor=1)])


def smoother_curves(studies: Sequence[Study]) -> Claim:
    """Judges statement L2-1: learning curves are smoother."""
    demands = [demand_all(s.title, [has_smoother_curve(s, m) for m in s.models]) for s in _studies_with_both(studies)]
    return Claim(
        name="L2-1",
        statement="Collaborative models have smoother learning curves.",
        rule="On every data set of the run and for every model the test error of L2 0.01 departs less from the line "
        "through its neighbouring epochs than that of Single. Epochs count from the first halving of the learning rate on: "
        "before it, what is measured is how fast all curves fall.",
        lacks=_LACKS,
        demands=tuple(demands),
    )


def _demand_lower_errors(study: Study, what: str) -> Demand:
    return demand_all(what, [has_lower_error(study, (L2, m), (SINGLE, m)) for m in study.models])


def better_on_mnist(studies: Sequence[Study]) -> Claim:
    """Judges statement L2-2: final results on MNIST are better."""
    return Claim(
        name="L2-2",
        statement="On MNIST the smoother curve leads to better final results.",
        rule=f"On MNIST every model of L2 0.01 has a lower test error than that of Single; {_OF_THE_SET}",
        lacks=f"{_LACKS} on MNIST",
        demands=tuple(_demand_lower_errors(s, s.title) for s in _studies_with_both(studies, "mnist")),
    )


def resists_overfitting(studies: Sequence[Study]) -> Claim:
    """Judges statement L2-3: on notMNIST models overfit less and do as well."""
    demands = []
    for s in _studies_with_both(studies, "notmnist"):
        demands.append(demand_all("less overfitting", [_has_smaller_gap(s, m) for m in s.models]))
        comparable = [has_comparable_error(s, (L2, m), (SINGLE, m)) for m in s.models]
        demands.append(demand_all("comparable results", comparable))
    return Claim(
        name="L2-3",
        statement="On notMNIST, whose training labels are noisy, collaborative models resist overfitting and reach "
        "comparable results.",
        rule="On notMNIST for every model the gap between test and train error is lower with L2 0.01, and its test error "
        f"at most a tenth worse than that of Single; {_OF_THE_SET}",
        lacks=f"{_LACKS} on notMNIST",
        demands=tuple(demands),
    )


def _has_smaller_gap(study: Study, model: str) -> Part:
    gaps = [Term(t, model, f, c) for t, f in ((L2, 1), (SINGLE, -1)) for c, f in ((ERROR, f), (TRAIN_ERROR, -f))]
    says = f"test minus train error of {model} is lower with {L2.title}"
    return make_part(study, says, gaps, reference=[Term(SINGLE, model)])


def same_training_better_test(studies: Sequence[Study]) -> Claim:
    """Judges statement L2-4: on CIFAR10 training curves are alike and test errors are lower."""
    demands = []
    for s in _studies_with_both(studies, "cifar10"):
        near = [_has_near_training_curve(s, m, sign) for m in s.models for sign in (1, -1)]
        demands.append(demand_all("similar training curves", near))
        demands.append(_demand_lower_errors(s, "better test"))
    return Claim(
        name="L2-4",
        statement="On CIFAR10 collaborative models have very similar learning curves on the training set, yet "
        "outperform on the test set.",
        rule=f"On CIFAR10 for every model the train error averaged over epochs is within {SIMILAR:g} pp of that of Single (an "
        "equivalence test), "
        f"and the final test error is lower; {_OF_THE_SET}",
        lacks=f"{_LACKS} on CIFAR10",
        demands=tuple(demands),
    )


def _has_near_training_curve(study: Study, model: str, sign: int) -> Part:
    word = "above" if sign > 0 else "below"
    says = f"the training curve of {model} lies on average less than {SIMILAR:g} pp {word} that of Single"
    terms = [Term(L2, model, sign, TRAINING), Term(SINGLE, model, -sign, TRAINING)]
    return make_part(study, says, terms, bound=SIMILAR)


def members_more_alike(studies: Sequence[Study]) -> Claim:
    """Judges statement L2-5: members perform more alike."""
    demands = []
    for s in _studies_with_both(studies):
        first, last = s.members[0], s.members[-1]
        if first == last:
            continue
        says = f"the test errors of {first} and {last} lie closer together with {L2.title}"
        distances = [distance_of(L2, 1), distance_of(SINGLE, -1)]
        parts = [make_part(s, says, distances, reference=[Term(SINGLE, first, 0.5), Term(SINGLE, last, 0.5)])]
        if all(len(s.final(t, ENSEMBLE, AGREEMENT)) for t in (L2, SINGLE)):
            agreement = [Term(SINGLE, ENSEMBLE, 1, AGREEMENT), Term(L2, ENSEMBLE, -1, AGREEMENT)]
            says = f"members of {L2.title} agree on more test examples"
            parts.append(make_part(s, says, agreement, reference=[Term(SINGLE, first, 0.5), Term(SINGLE, last, 0.5)]))
        demands.append(demand_all(s.title, parts))
    return Claim(
        name="L2-5",
        statement="The models of collaborative ensembles have more similar performance than those of traditional ones.",
        rule="On every data set of the run the test errors of the members lie closer together with L2 0.01 than in Single, "
        "and (where recorded) members agree on more test examples.",
        lacks=_LACKS,
        demands=tuple(demands),
    )


CLAIMS = (smoother_curves, better_on_mnist, resists_overfitting, same_training_better_test, members_more_alike)
