"""The six statements of section 6.1 about the whole grid, each on final test errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aggregator.claims.verdict import CLOSE, Claim, Demand, Part, claim, every, some
from aggregator.study import SINGLE, TITLES, Study, Weight
from experiment.cell import ENSEMBLE

METHODS = ("ce", "l2", "l1")
Model = tuple[Weight, str]


def lower(study: Study, a: Model, b: Model) -> Part:
    """``a`` has a lower test error than ``b``."""
    difference = study.compare(a, b)
    says = f"{study.title}: {_name(a)} lower than {_name(b)}"
    return Part(says=says, difference=difference.scaled(100) if difference else None)


def close(study: Study, a: Model, b: Model) -> Part:
    """The test error of ``a`` is at most a tenth above that of ``b``."""
    difference = study.compare(a, b)
    reference = study.final(*b)
    bound = 100 * CLOSE * float(reference.mean()) if len(reference) else 0.0
    says = f"{study.title}: {_name(a)} at most {bound:.2f} pp above {_name(b)}"
    return Part(says=says, difference=difference.scaled(100) if difference else None, bound=bound)


def _name(model: Model) -> str:
    return f"{model[1]} of {model[0].title}"


def _small_large(study: Study) -> tuple[str, str]:
    """The first and the last member: in the paper's grid the shallow and thin one, and the medium one."""
    return study.members[0], study.members[-1]


def _compared(studies: Sequence[Study]) -> list[Study]:
    """Those that set collaboration against Single."""
    return [s for s in studies if s.collaborative() and SINGLE in s.weights]


def _by_method(
    studies: Sequence[Study],
    parts: Callable[[Study, str], list[Part]],
    demand: Callable[[str, list[Part]], Demand],
) -> list[Demand]:
    """A demand for each data set and method. A method that the run lacks has nothing to compare: undecided, not left out."""
    return [demand(f"{s.title}, {TITLES[m]}", parts(s, m)) for s in _compared(studies) for m in METHODS]


def better_than_alone(studies: Sequence[Study]) -> Claim:
    """(1)."""
    demands = [
        some(s.title, [lower(s, (w, m), (SINGLE, m)) for w in s.collaborative() for m in s.members], 2)
        for s in _compared(studies)
    ]
    return claim("1", "Collaborative models usually outperform their traditionally trained counterparts: on every data set "
                 "at least 2 of them have a lower test error.", "On every data set of the run at least 2 members trained in "
                 "collaboration have a lower test error than the same member of Single.", demands)  # fmt: skip


def small_like_large(studies: Sequence[Study]) -> Claim:
    """(2)."""
    demands = []
    for s in _compared(studies):
        small, large = _small_large(s)
        demands.append(some(s.title, [close(s, (w, small), (SINGLE, large)) for w in s.collaborative()]))
    return claim("2", "Collaboratively trained ST models can approximate the traditionally trained M models.",
                 "On every data set of the run at least one collaborative ST is at most a tenth worse than M of Single.", demands)  # fmt: skip


def ensemble_and_its_stand_in(studies: Sequence[Study]) -> Claim:
    """(3)."""
    demands: list[Demand] = []
    for s in _compared(studies):
        large = _small_large(s)[1]
        constituents = [lower(s, (SINGLE, ENSEMBLE), (SINGLE, m)) for m in s.members]
        demands.append(every(f"{s.title}, ensemble beats members", constituents))
        stand_ins = [close(s, (w, large), (SINGLE, ENSEMBLE)) for w in s.collaborative()]
        demands.append(some(f"{s.title}, one M comes close", stand_ins))
    return claim("3", "Traditional ensembles outperform each of their constituents, and one medium model trained in "
                 "collaboration closely approximates them.", "On every data set of the run: Ens of Single is lower than each of its "
                 "members, and at least one collaborative M is at most a tenth worse than Ens of Single.", demands)  # fmt: skip


def every_method_helps(studies: Sequence[Study]) -> Claim:
    """(4)."""

    def parts(s: Study, method: str) -> list[Part]:
        mild = [w for w in s.collaborative((method,)) if w.alpha < 1]
        return [lower(s, (w, m), (SINGLE, m)) for w in mild for m in s.members]

    demands = _by_method(studies, parts, some)
    return claim("4", "All three collaboration methods yield improvements provided the collaboration rate is not too large.",
                 "On every data set of the run and for each method, at least one member at an alpha below 1 has a lower test error "
                 "than the same member of Single.", demands)  # fmt: skip


def best_weights(studies: Sequence[Study]) -> Claim:
    """(5)."""

    def parts(s: Study, method: str) -> list[Part]:
        small, large = Weight(method, 0.01), Weight(method, 1.0)
        if method == "ce":
            return [close(s, (large, m), (SINGLE, m)) for m in s.members if large in s.weights]
        return [lower(s, (small, m), (large, m)) for m in s.members if {small, large} <= set(s.weights)]

    demands = _by_method(studies, parts, every)
    return claim("5", "For symmetric cross-entropy a weight of about 1 does well; for L2 and L1 smaller values do.",
                 "On every data set of the run: members of CE 1.0 are at most a tenth worse than those of Single; members of L2 and L1 "
                 "have a lower test error at alpha 0.01 than at 1.", demands)  # fmt: skip


def less_is_more_for_ensembles(studies: Sequence[Study]) -> Claim:
    """(6)."""

    def parts(s: Study, method: str) -> list[Part]:
        weights = s.collaborative((method,))
        if len(weights) < 2:
            return []
        least = weights[-1]
        return [
            lower(s, (least, ENSEMBLE), (weights[0], ENSEMBLE)),
            *(lower(s, (least, m), (SINGLE, m)) for m in s.models),
        ]

    demands = _by_method(studies, parts, every)
    return claim("6", "Collaborative ensembles improve as the degree of collaboration decreases, and even with very low "
                 "weights members and ensemble outperform their traditional counterparts.", "On every data set of the run and for each "
                 "method: Ens at the smallest alpha is lower than at the largest, and at the smallest alpha every member and "
                 "Ens are lower than those of Single.", demands)  # fmt: skip


CLAIMS = (
    better_than_alone,
    small_like_large,
    ensemble_and_its_stand_in,
    every_method_helps,
    best_weights,
    less_is_more_for_ensembles,
)
