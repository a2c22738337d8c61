"""Which gains of a run can be set beside each other: of one treatment in two settings, of two treatments, and of controls.

A gain is how far a treatment's test error lies below that of the same model of Single. Each function returns a search: what
takes the studies of a run and yields its contrasts, in the order of the studies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

from aggregator.claims.columns import Term, name_model
from aggregator.claims.parts import Part, make_part
from aggregator.study import SINGLE, TITLES, Study, Treatment
from experiment.cell import COLLABORATIVE_METHODS, Cell
from experiment.extensions import NEUTRAL, describe_setting
from experiment.members import ENSEMBLE

OF_COLLABORATION = {"pairs", "pull", "temperature", "alpha_plan", "stale_epochs", "unlabelled", "unlabelled_share"}
OF_STUDY = ("dataset", "method", "alpha", "seed", "teacher")  # what is no setting
Pick = Callable[[Cell, Cell], Sequence[str]]
Asks = Callable[[Cell, Cell], bool]


class Side(NamedTuple):
    """A treatment of a study; ``base`` is the study of the Single that its gain is measured from."""

    study: Study
    treatment: Treatment
    base: Study


class Contrast(NamedTuple):
    """Two gains; ``value`` is what makes the first one's setting or method, and ``models`` is who is compared."""

    value: str
    first: Side
    second: Side
    models: Sequence[str]

    def parts(self) -> list[Part]:
        """Returns a comparison for each model, which holds if the first gains more."""
        return [gains_more(self.first, self.second, model) for model in self.models]


Search = Callable[[Sequence[Study]], Iterator[Contrast]]


def gains_more(first: Side, second: Side, model: str) -> Part:
    """Returns the comparison that holds if the first gains more over Single than the second: a difference of differences.

    Where both gains are measured from one Single, it cancels out and does not enter the error.
    """
    terms = [
        Term(first.treatment, model, 1, home=first.study),
        Term(second.treatment, model, -1, home=second.study),
    ]
    if first.base is not second.base:
        terms += [Term(SINGLE, model, -1, home=first.base), Term(SINGLE, model, 1, home=second.base)]
    where = f" in {second.study.title}" if second.study is not first.study else ""
    says = f"{name_model(first.treatment, model)} gains more than {name_model(second.treatment, model)}{where}"
    return make_part(first.study, says, terms, reference=[Term(SINGLE, model, home=second.base)])


def leaves_neutral(old: Cell, new: Cell) -> bool:
    """Whether every setting that differs is neutral in the first cell."""
    return all(getattr(old, name) == NEUTRAL[name] for name in _differing(old, new))


def shared_models(old: Cell, new: Cell) -> list[str]:
    """Returns the members that both have, with one architecture, and the ensemble."""
    return [*shared_members(old, new), ENSEMBLE]


def shared_members(old: Cell, new: Cell) -> list[str]:
    """Returns the members that both have, with one architecture."""
    return [m.name for m in new.members if m in old.members]


def across_settings(*names: str, asks: Asks = leaves_neutral, models: Pick = shared_models) -> Search:
    """Returns the search for one treatment under two settings that differ in nothing but ``names``.

    Args:
        asks: whether the step from the first cell's setting to the second's is the one that is asked about.
    """

    def search(studies: Sequence[Study]) -> Iterator[Contrast]:
        for new, old in permutations(studies, 2):
            changed = _changed(old, new)
            base = new if SINGLE in new.treatments else old if changed <= OF_COLLABORATION else None
            if not changed or not changed <= {*names} or not asks(old.cells[0], new.cells[0]):
                continue
            if base is None or SINGLE not in old.treatments:
                continue
            compared = models(old.cells[0], new.cells[0])
            for t in new.collaborative():
                if compared and t in old.treatments:
                    yield Contrast(_describe(new, names), Side(new, t, base), Side(old, t, old), compared)

    return search


def between_methods(*methods: str) -> Search:
    """Returns the search for these methods beside the paper's, within one study."""

    def search(studies: Sequence[Study]) -> Iterator[Contrast]:
        for study in studies:
            for later in study.collaborative(methods) if SINGLE in study.treatments else ():
                for paper in study.collaborative(COLLABORATIVE_METHODS):
                    sides = (Side(study, later, study), Side(study, paper, study))
                    yield Contrast(TITLES[later.method], *sides, study.models)

    return search


def against_controls(*names: str) -> Search:
    """Returns the search for collaboration beside Single alone with another value of these settings.

    What the control gains is measured from Single as it is in the study of the collaboration.
    """

    def search(studies: Sequence[Study]) -> Iterator[Contrast]:
        for control, study in permutations(studies, 2):
            changed = _changed(study, control)
            alone = control.treatments == (SINGLE,) and SINGLE in study.treatments
            if not changed or not changed <= {*names} or not alone:
                continue
            for t in study.collaborative():
                sides = (Side(study, t, study), Side(control, SINGLE, study))
                yield Contrast(_describe(control, sorted(changed)), *sides, study.models)

    return search


def _changed(old: Study, new: Study) -> set[str]:
    """Returns the settings in which two studies differ, ``dataset`` among them if they are of two data sets."""
    different = {"dataset"} if old.dataset != new.dataset else set()
    return different | _differing(old.cells[0], new.cells[0])


def _differing(old: Cell, new: Cell) -> set[str]:
    before, after = old.all_fields(), new.all_fields()
    return {name for name in before if before[name] != after[name] and name not in OF_STUDY}


def _describe(study: Study, names: Sequence[str]) -> str:
    cell = study.cells[0]
    values = {**{n: getattr(cell, n) for n in names}, "members": cell.member_names}
    return ", ".join(f"{n} {describe_setting(values[n])}" for n in names)
