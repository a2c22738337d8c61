"""What a report is made from: a run's results as studies, with judged claims, predictions and pictures of the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aggregator.claims import Claim, judge_claims
from aggregator.figures.images import plot_components, plot_samples
from aggregator.figures.reliability import drawn_treatments
from aggregator.figures.style import Picture
from aggregator.reading.images import read_images
from aggregator.reading.predictions import Predictions, read_predictions
from aggregator.reading.run import RunResults
from aggregator.study import Study, Treatment, make_studies
from experiment.cell import Cell
from experiment.datasets import DATASETS
from experiment.errors import ExperimentError, describe_error
from experiment.ledger import Problem
from experiment.store import Store

MOST_PREDICTIONS = 120  # cells whose predictions are read: a cell's are a megabyte, and runs of many seeds need none


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that a report is made from.

    Attributes:
        predictions: by cell id, where they were read.
        prices: dollars per hour by part of a device's name.
        pictures: of the data sets.
        remarks: what could not be shown or compared, and why.
    """

    run: RunResults
    studies: Sequence[Study]
    claims: Sequence[Claim]
    predictions: Mapping[str, Predictions] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    pictures: Sequence[Picture] = ()
    remarks: Sequence[str] = ()


def gather_material(store: Store, found: RunResults, prices: Mapping[str, float]) -> Material:
    """Returns the run's results as studies, with what the store holds of predictions and prepared data sets."""
    done = {c.id for c in found.done}
    studies, predictions = [], {}
    problems: list[Problem] = []
    for study in make_studies(found.frame, found.run.grid.cells):
        cells = [c for c in study.cells if c.id in done]
        own, unusable = read_predictions(store, cells_to_compare(study, cells))
        studies.append(_add_predictions(study, cells, own))
        predictions.update(own)
        problems += unusable
    pictures, remarks = draw_datasets(store, dict.fromkeys(c.dataset for c in found.run.grid.cells))
    return Material(
        run=dataclasses.replace(found, problems=(*found.problems, *(p for p in problems if not p.absent))),
        studies=studies,
        claims=judge_claims(studies),
        predictions=predictions,
        prices=prices,
        pictures=pictures,
        remarks=[*remarks, *_remark_absent_predictions(problems, done)],
    )


def cells_to_compare(study: Study, cells: Sequence[Cell]) -> list[Cell]:
    """Returns the cells whose predictions are read.

    With one seed, cells are compared example by example: all of them. With several, they are compared over seeds: only
    those whose reliability is drawn.
    """
    seeds = sorted({c.seed for c in cells})
    if len(seeds) == 1 and len(cells) <= MOST_PREDICTIONS:
        return list(cells)
    drawn = drawn_treatments(study)
    return [c for c in cells if c.seed == seeds[0] and Treatment.of(c) in drawn]


def _add_predictions(study: Study, cells: Sequence[Cell], found: Mapping[str, Predictions]) -> Study:
    wrong = {(Treatment.of(c), c.seed): found[c.id].wrong for c in cells if c.id in found}
    return dataclasses.replace(study, wrong=wrong)


def _remark_absent_predictions(problems: Sequence[Problem], done: Collection[str]) -> list[str]:
    absent = sum(p.absent for p in problems)
    if not absent:
        return []
    effect = "their errors are compared as independent binomials, and their reliability is not drawn"
    return [f"{absent} of {len(done)} done cells kept no predictions: {effect}."]


def draw_datasets(store: Store, datasets: Iterable[str]) -> tuple[list[Picture], list[str]]:
    """Returns the pictures of each data set, and why some have none."""
    pictures, remarks = [], []
    for name in datasets:
        try:
            images = read_images(store, name)
        except ExperimentError as error:
            remarks.append(f"No pictures of {DATASETS[name].title}: {describe_error(error)}.")
            continue
        pictures += [plot_samples(name, images), plot_components(name, images)]
    return pictures, remarks
