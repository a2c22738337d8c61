"""The six statements of section 6.1 about the whole grid, each tested on final test errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aggregator.claims.columns import Term, name_model
from aggregator.claims.parts import Part, make_part
from aggregator.claims.verdict import Claim, Demand, demand_all, demand_some
from aggregator.statistics import CLOSE
from aggregator.study import SINGLE, TITLES, Model, Study, Treatment
from experiment.cell import COLLABORATIVE_METHODS
from experiment.members import ENSEMBLE


def has_lower_error(study: Study, a: Model, b: Model) -> Part:
    """Returns the comparison that holds if ``a`` has a lower test error than ``b``."""
    says = f"{name_model(*a)} lower than {name_model(*b)}"
    return make_part(study, says, [Term(*a), Term(*b, -1)], reference=[Term(*b)])


def has_comparable_error(study: Study, a: Model, b: Model) -> Part:
    """Returns the comparison that holds if the test error of ``a`` is at most a tenth above that of ``b``.

    It is tested as non-inferiority, on a - 1.1 b of each seed: the tenth varies from seed to seed as b does.
    """
    says = f"{name_model(*a)} at most a tenth above {name_model(*b)}"
    return make_part(study, says, [Term(*a), Term(*b, -(1 + CLOSE))])


def small_and_large(study: Study) -> tuple[str, str]:
    """Returns the first and the last member: in the paper's grid the shallow and thin one, and the medium one."""
    return study.members[0], study.members[-1]


def studies_with_single(studies: Sequence[Study]) -> list[Study]:
    """Returns the studies that hold both collaborative cells and cells of Single."""
    return [s for s in studies if s.collaborative() and SINGLE in s.treatments]


def _demand_by_method(
    studies: Sequence[Study],
    parts: Callable[[Study, str], list[Part]],
    demand: Callable[[str, list[Part]], Demand],
) -> list[Demand]:
    """Returns a demand for each data set and method; a method that the run lacks leaves its demand undecided."""
    return [
        demand(f"{s.title}, {TITLES[method]}", parts(s, method))
        for s in studies_with_single(studies)
        for method in COLLABORATIVE_METHODS
    ]


def better_than_alone(studies: Sequence[Study]) -> Claim:
    """Judges statement 1: collaborative models outperform the same models trained alone."""
    demands = []
    for s in studies_with_single(studies):
        pairs = [((t, member), (SINGLE, member)) for t in s.collaborative() for member in s.members]
        demands.append(demand_some(s.title, [has_lower_error(s, a, b) for a, b in pairs], need=2))
    return Claim(
        name="1",
        statement="Collaborative models usually outperform their traditionally trained counterparts: on every data set "
        "at least 2 of them have a lower test error.",
        rule="On every data set of the run at least 2 members trained in collaboration have a lower test error than the "
        "same member of Single.",
        demands=tuple(demands),
    )


def small_like_large(studies: Sequence[Study]) -> Claim:
    """Judges statement 2: a small collaborative model comes close to a large one trained alone."""
    demands = []
    for s in studies_with_single(studies):
        small, large = small_and_large(s)
        parts = [has_comparable_error(s, (t, small), (SINGLE, large)) for t in s.collaborative()]
        demands.append(demand_some(s.title, parts))
    return Claim(
        name="2",
        statement="Collaboratively trained ST models can approximate the traditionally trained M models.",
        rule="On every data set of the run at least one collaborative ST is at most a tenth worse than M of Single.",
        demands=tuple(demands),
    )


def one_model_like_the_ensemble(studies: Sequence[Study]) -> Claim:
    """Judges statement 3: Single's ensemble beats its members, and one collaborative model comes close to it."""
    demands: list[Demand] = []
    for s in studies_with_single(studies):
        large = small_and_large(s)[1]
        constituents = [has_lower_error(s, (SINGLE, ENSEMBLE), (SINGLE, m)) for m in s.members]
        demands.append(demand_all(f"{s.title}, ensemble beats members", constituents))
        stand_ins = [has_comparable_error(s, (t, large), (SINGLE, ENSEMBLE)) for t in s.collaborative()]
        demands.append(demand_some(f"{s.title}, one M comes close", stand_ins))
    return Claim(
        name="3",
        statement="Traditional ensembles outperform each of their constituents, and one medium model trained in "
        "collaboration closely approximates them.",
        rule="On every data set of the run: Ens of Single is lower than each of its members, and at least one "
        "collaborative M is at most a tenth worse than Ens of Single.",
        demands=tuple(demands),
    )


def every_method_helps(studies: Sequence[Study]) -> Claim:
    """Judges statement 4: each of the methods improves some model where its alpha is not too large."""

    def parts(s: Study, method: str) -> list[Part]:
        mild = [t for t in s.collaborative((method,)) if t.alpha < 1]
        return [has_lower_error(s, (t, m), (SINGLE, m)) for t in mild for m in s.members]

    return Claim(
        name="4",
        statement="All three collaboration methods yield improvements provided the collaboration rate is not too large.",
        rule="On every data set of the run and for each method, at least one member at an alpha below 1 has a lower test "
        "error than the same member of Single.",
        demands=tuple(_demand_by_method(studies, parts, demand_some)),
    )


def best_alphas(studies: Sequence[Study]) -> Claim:
    """Judges statement 5: CE does well at an alpha of 1, L2 and L1 at smaller ones."""

    def parts(s: Study, method: str) -> list[Part]:
        small, large = Treatment(method, 0.01), Treatment(method, 1.0)
        if method == "ce":
            return [has_comparable_error(s, (large, m), (SINGLE, m)) for m in s.members if large in s.treatments]
        both = {small, large} <= set(s.treatments)
        return [has_lower_error(s, (small, m), (large, m)) for m in s.members if both]

    return Claim(
        name="5",
        statement="For symmetric cross-entropy a weight of about 1 does well; for L2 and L1 smaller values do.",
        rule="On every data set of the run: members of CE 1.0 are at most a tenth worse than those of Single; members of "
        "L2 and L1 have a lower test error at alpha 0.01 than at 1.",
        demands=tuple(_demand_by_method(studies, parts, demand_all)),
    )


def less_is_more_for_ensembles(studies: Sequence[Study]) -> Claim:
    """Judges statement 6: ensembles improve as alpha falls, and are better than Single at the smallest."""

    def parts(s: Study, method: str) -> list[Part]:
        treatments = s.collaborative((method,))
        if len(treatments) < 2:
            return []
        most, least = treatments[0], treatments[-1]
        against_single = [has_lower_error(s, (least, m), (SINGLE, m)) for m in s.models]
        return [has_lower_error(s, (least, ENSEMBLE), (most, ENSEMBLE)), *against_single]

    return Claim(
        name="6",
        statement="Collaborative ensembles improve as the degree of collaboration decreases, and even with very low "
        "weights members and ensemble outperform their traditional counterparts.",
        rule="On every data set of the run and for each method: Ens at the smallest alpha is lower than at the largest, "
        "and at the smallest alpha every member and Ens are lower than those of Single.",
        demands=tuple(_demand_by_method(studies, parts, demand_all)),
    )


CLAIMS = (
    better_than_alone,
    small_like_large,
    one_model_like_the_ensemble,
    every_method_helps,
    best_alphas,
    less_is_more_for_ensembles,
)
