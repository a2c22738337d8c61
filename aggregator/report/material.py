"""What a report is made from: a run's results as studies, with judged claims, predictions and pictures of the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aggregator.claims import Claim, judge_claims
from aggregator.claims.questions import judge_questions
from aggregator.claims.second_halves import SecondHalf, judge_second_halves
from aggregator.figures.images import plot_components, plot_samples
from aggregator.figures.picture import Picture
from aggregator.figures.reliability import drawn_treatments
from aggregator.grouping import make_studies
from aggregator.looks import count_looks
from aggregator.reading.alike import find_other_labels
from aggregator.reading.images import read_images
from aggregator.reading.predictions import Predictions, read_predictions
from aggregator.reading.run import RunResults, leave_out
from aggregator.reading.sources import find_own_files
from aggregator.report.budget import Budget, read_budget
from aggregator.report.costs import cost_by_cell
from aggregator.study import Study, Treatment
from aggregator.suggest import Step, forecast_claims, plan_steps
from experiment.cell import Cell
from experiment.datasets import title_of
from experiment.errors import ExperimentError, describe_error
from experiment.ledger import Problem
from experiment.looks import Look
from experiment.store import Store

NOTHING_SPENT = Budget()
MOST_PREDICTIONS = 120  # cells of a study whose predictions are read: a cell's are a megabyte


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that a report is made from.

    Attributes:
        second_halves: of the claims that have one, by the claim's name.
        looks: by slug of a study, the look at its results that this is; nothing of studies that are not tested yet.
        steps: what would decide each undecided claim.
        questions: those beyond the paper that the run speaks about, judged; often none.
        question_steps: what would decide each undecided one of them.
        predictions: by cell id, where they were read.
        prices: dollars per hour by part of a device's name.
        budget: what its launches on a cluster expected, and what they took.
        pictures: of the data sets.
        remarks: what could not be shown or compared, and why.
        own_files: by data set, the files of the user's own that its images come from.
    """

    run: RunResults
    studies: Sequence[Study]
    claims: Sequence[Claim]
    second_halves: Mapping[str, SecondHalf] = field(default_factory=dict)
    looks: Mapping[str, Look] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    questions: Sequence[Claim] = ()
    question_steps: Sequence[Step] = ()
    predictions: Mapping[str, Predictions] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    budget: Budget = NOTHING_SPENT
    pictures: Sequence[Picture] = ()
    remarks: Sequence[str] = ()
    own_files: Mapping[str, Sequence[str]] = field(default_factory=dict)


def gather_material(store: Store, found: RunResults, prices: Mapping[str, float], *, pictures: bool = True) -> Material:
    """Returns the run's results as studies, with what the store holds of predictions and (if asked) prepared data sets."""
    found, predictions, unusable = read_all_predictions(store, found)
    done = {c.id for c in found.done}
    plain = make_studies(found.frame, found.run.grid.cells)
    studies = [_add_predictions(s, [c for c in s.cells if c.id in done], predictions) for s in plain]
    datasets = dict.fromkeys(c.dataset for c in found.run.grid.cells) if pictures else {}
    drawn, remarks = draw_datasets(store, datasets)
    budget, unread = read_budget(store, found.run.name)
    looks = count_looks(store, studies)
    claims, questions = judge_claims(studies, looks), judge_questions(studies, looks)
    costs = cost_by_cell(found, prices)
    return Material(
        run=dataclasses.replace(found, problems=(*found.problems, *(p for p in unusable if not p.absent))),
        studies=studies,
        claims=claims,
        second_halves=judge_second_halves(studies, found.provenance, claims),
        looks=looks,
        steps=plan_steps(forecast_claims(claims), costs),
        questions=questions,
        question_steps=plan_steps(forecast_claims(questions), costs),
        predictions=predictions,
        prices=prices,
        budget=budget,
        pictures=drawn,
        remarks=[*remarks, *unread, *_remark_predictions(found, predictions, unusable)],
        own_files=find_own_files(store, found.done, found.provenance),
    )


def read_all_predictions(
    store: Store, found: RunResults
) -> tuple[RunResults, dict[str, Predictions], Sequence[Problem]]:
    """Reads predictions, and leaves out the cells that they contradict or whose labels are not those of the others.

    Returns:
        what is left of the results, the predictions by cell id, and the files that cannot be used.
    """
    done = {c.id for c in found.done}
    wanted: list[Cell] = []
    for study in make_studies(found.frame, found.run.grid.cells):
        wanted += cells_to_compare(study, [c for c in study.cells if c.id in done])
    read = read_predictions(store, wanted, found.provenance, found.frame)
    wrong = [*read.contradictions, *find_other_labels(wanted, read.usable)]
    out = {p.cell for p in wrong}
    return leave_out(found, wrong), {i: p for i, p in read.usable.items() if i not in out}, read.unusable


def cells_to_compare(study: Study, cells: Sequence[Cell]) -> list[Cell]:
    """Returns the cells whose predictions are read: all of them, if they are not too many.

    Else they are those whose reliability is drawn.
    """
    if len(cells) <= MOST_PREDICTIONS:
        return list(cells)
    drawn, first = drawn_treatments(study), min(c.seed for c in cells)
    return [c for c in cells if c.seed == first and Treatment.of(c) in drawn]


def _add_predictions(study: Study, cells: Sequence[Cell], found: Mapping[str, Predictions]) -> Study:
    wrong = {(Treatment.of(c), c.seed): found[c.id].wrong for c in cells if c.id in found}
    return dataclasses.replace(study, wrong=wrong)


def _remark_predictions(found: RunResults, read: Collection[str], unusable: Sequence[Problem]) -> list[str]:
    done = len(found.done)
    remarks = []
    if absent := sum(p.absent for p in unusable):
        effect = "their errors are compared as independent binomials, and their reliability is not drawn"
        remarks.append(f"{absent} of {done} done cells kept no predictions: {effect}.")
    if unread := done - len(read) - len(unusable):
        remarks.append(
            f"The predictions of {unread} of {done} done cells were not read, nor their rows compared with them: "
            f"python -m aggregator.verify does that."
        )
    return remarks


def draw_datasets(store: Store, datasets: Iterable[str]) -> tuple[list[Picture], list[str]]:
    """Returns the pictures of each data set, and why some have none."""
    pictures, remarks = [], []
    for name in datasets:
        try:
            images = read_images(store, name)
        except ExperimentError as error:
            remarks.append(f"No pictures of {title_of(name)}: {describe_error(error)}.")
            continue
        pictures += [plot_samples(name, images), plot_components(name, images)]
    return pictures, remarks
