"""The five statements of section 6.1 about L2 0.01, on learning curves, gaps and final errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aggregator import statistics
from aggregator.claims.grid import close, lower
from aggregator.claims.verdict import Claim, Part, claim, every
from aggregator.statistics import Difference
from aggregator.study import SINGLE, Study, Weight
from experiment.cell import ENSEMBLE

L2 = Weight("l2", 0.01)
SIMILAR = 2.0  # percentage points between two training curves that are "very similar"
_OF_THE_SET = "undecided without results of that data set."


def _asked(studies: Sequence[Study], dataset: str = "") -> list[Study]:
    return [s for s in studies if {L2, SINGLE} <= set(s.weights) and dataset in ("", s.dataset)]


def roughness(curve: pd.DataFrame) -> pd.DataFrame:
    """How far each epoch lies from the line through its neighbours, by epoch and seed: 0 on any straight line."""
    return curve.diff().diff().abs().dropna()


def smoother(study: Study, model: str) -> Part:
    """The test error of L2 0.01 jumps less from epoch to epoch; with one run, paired over epochs."""
    a, b = (roughness(100 * study.curve(w, model)) for w in (L2, SINGLE))
    says = f"{study.title}: the curve of {model} of {L2.title} is smoother than that of Single"
    seeds = a.columns.intersection(b.columns)
    if not len(seeds):
        return Part(says=says, difference=None)
    a, b = a[seeds], b[seeds]
    if len(seeds) > 1:
        return Part(says=says, difference=statistics.paired(a.mean().to_numpy(), b.mean().to_numpy()))
    difference = statistics.paired(a[seeds[0]].to_numpy(), b[seeds[0]].to_numpy(), "paired t over epochs")
    return Part(says=says, difference=difference)


def combined(study: Study, terms: Sequence[tuple[Weight, str, str, float]], rule: str = "sum") -> Difference | None:
    """A weighted sum of final shares, paired over seeds or, with one run, as independent binomials.

    Args:
        terms: (weight, model, column, factor); columns named train_* count training examples, others test examples.
        rule: sum; or gap: |first two terms| - |last two|, each pair a difference.
    """
    values = [study.final(w, m, c) for w, m, c, _ in terms]
    factors = [f for *_, f in terms]
    seeds = values[0].index
    for v in values[1:]:
        seeds = seeds.intersection(v.index)
    if not len(seeds):
        return None
    if rule == "gap":
        signs = [np.sign(float((values[i][seeds] - values[i + 1][seeds]).mean())) or 1.0 for i in (0, 2)]
        factors = [signs[0], -signs[0], -signs[1], signs[1]]
    if len(seeds) > 1:
        total = sum(v[seeds].to_numpy() * f for v, f in zip(values, factors, strict=True))
        return statistics.paired(np.asarray(total), np.zeros(len(seeds)))
    sizes = [study.size("train_examples" if c.startswith("train") else "test_examples") for _, _, c, _ in terms]
    return statistics.unpaired([float(v[seeds[0]]) for v in values], sizes, factors)


def smoother_curves(studies: Sequence[Study]) -> Claim:
    """(1)."""
    demands = [every(s.title, [smoother(s, m) for m in s.models]) for s in _asked(studies)]
    return claim("L2-1", "Collaborative models have smoother learning curves.", "On every data set of the run and for every model the "
                 "test error of L2 0.01 departs less from the line through its neighbouring epochs than that of Single. "
                 "With one run pairs are epochs, which are not independent.", demands)  # fmt: skip


def better_on_mnist(studies: Sequence[Study]) -> Claim:
    """(2)."""
    demands = [every(s.title, [lower(s, (L2, m), (SINGLE, m)) for m in s.models]) for s in _asked(studies, "mnist")]
    return claim("L2-2", "On MNIST the smoother curve leads to better final results.",
                 f"On MNIST every model of L2 0.01 has a lower test error than that of Single; {_OF_THE_SET}", demands)  # fmt: skip


def resists_overfitting(studies: Sequence[Study]) -> Claim:
    """(3)."""
    demands = []
    for s in _asked(studies, "notmnist"):
        gaps = []
        for m in s.models:
            d = combined(s, [(L2, m, "test_error", 1), (L2, m, "train_error", -1), (SINGLE, m, "test_error", -1), (SINGLE, m, "train_error", 1)])  # fmt: skip
            says = f"{s.title}: test minus train error of {m} is lower with {L2.title}"
            gaps.append(Part(says=says, difference=d.scaled(100) if d else None))
        demands += [every("less overfitting", gaps)]
        demands += [every("comparable results", [close(s, (L2, m), (SINGLE, m)) for m in s.models])]
    return claim("L2-3", "On notMNIST, whose training labels are noisy, collaborative models resist overfitting and reach "
                 "comparable results.", "On notMNIST for every model the gap between test and train error is lower with L2 "
                 f"0.01, and its test error at most a tenth worse than that of Single; {_OF_THE_SET}", demands)  # fmt: skip


def same_training_better_test(studies: Sequence[Study]) -> Claim:
    """(4)."""
    demands = []
    for s in _asked(studies, "cifar10"):
        near = []
        for m in s.models:
            for sign, word in ((1, "above"), (-1, "below")):
                d = _mean_training_difference(s, m, sign)
                says = f"{s.title}: the training curve of {m} lies on average less than {SIMILAR:g} pp {word} that of Single"
                near.append(Part(says=says, difference=d, bound=SIMILAR))
        demands.append(every("similar training curves", near))
        demands.append(every("better test", [lower(s, (L2, m), (SINGLE, m)) for m in s.models]))
    return claim("L2-4", "On CIFAR10 collaborative models have very similar learning curves on the training set, yet "
                 "outperform on the test set.", f"On CIFAR10 for every model the train error averaged over epochs is within "
                 f"{SIMILAR:g} pp of that of Single, and the final test error is lower; {_OF_THE_SET}", demands)  # fmt: skip


def _mean_training_difference(study: Study, model: str, sign: int) -> Difference | None:
    a, b = (100 * study.curve(w, model, "train_error") for w in (L2, SINGLE))
    seeds = a.columns.intersection(b.columns)
    if not len(seeds):
        return None
    if len(seeds) > 1:
        x, y = (c[seeds].mean().to_numpy() * sign for c in (a, b))
        return statistics.paired(x, y)
    n = study.size("train_examples")
    rates = [float(v) / 100 for c in (a, b) for v in c[seeds[0]]]
    factors = [sign / len(a)] * len(a) + [-sign / len(b)] * len(b)
    return statistics.unpaired(rates, [n] * len(rates), factors).scaled(100)


def more_alike(studies: Sequence[Study]) -> Claim:
    """(5)."""
    demands = []
    for s in _asked(studies):
        first, last = s.members[0], s.members[-1]
        if first == last:
            continue
        d = combined(s, [(L2, first, "test_error", 1), (L2, last, "test_error", -1), (SINGLE, first, "test_error", 1), (SINGLE, last, "test_error", -1)], "gap")  # fmt: skip
        says = f"{s.title}: the test errors of {first} and {last} lie closer together with {L2.title}"
        parts = [Part(says=says, difference=d.scaled(100) if d else None)]
        if len(s.final(L2, ENSEMBLE, "test_agreement")) and len(s.final(SINGLE, ENSEMBLE, "test_agreement")):
            e = combined(s, [(SINGLE, ENSEMBLE, "test_agreement", 1), (L2, ENSEMBLE, "test_agreement", -1)])
            says = f"{s.title}: members of {L2.title} agree on more test examples"
            parts.append(Part(says=says, difference=e.scaled(100) if e else None))
        demands.append(every(s.title, parts))
    return claim("L2-5", "The models of collaborative ensembles have more similar performance than those of traditional ones.",
                 "On every data set of the run the test errors of the members lie closer together with L2 0.01 than in Single, and "
                 "(where recorded) members agree on more test examples.", demands)  # fmt: skip


CLAIMS = (smoother_curves, better_on_mnist, resists_overfitting, same_training_better_test, more_alike)
