"""Simulated results of many seeds around a known truth, as arrays and as the studies that a report reads."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from aggregator.claims import Claim, judge_claims
from aggregator.claims.columns import ROUGHNESS, TRAIN_ERROR, TRAINING
from aggregator.claims.rules import Floats
from aggregator.grouping import make_studies
from aggregator.report.published import published_numbers
from aggregator.study import ERROR, SINGLE, Study, Treatment
from experiment.cell import Cell
from experiment.datasets import DATASETS
from experiment.grid import load_grid
from experiment.members import ENSEMBLE

# The standard deviation of one cell's test error over seeds, as a share: the author's four near-replicates of each.
SPREAD = {"mnist": 0.0006, "cifar10": 0.0047, "notmnist": 0.00065}
L2 = Treatment("l2", 0.01)
# Training errors on notMNIST after the last epoch, as the author recorded them: the claim about overfitting needs them.
TRAINED = {
    (SINGLE, "ST"): 0.0566,
    (SINGLE, "M"): 0.0246,
    (SINGLE, ENSEMBLE): 0.0297,
    (L2, "ST"): 0.0607,
    (L2, "M"): 0.0315,
    (L2, ENSEMBLE): 0.0423,
}
MADE_UP = 0.05  # of figures without a published number; what is simulated with them does not depend on it
Values = Mapping[tuple[str, Treatment, str, str], Floats]  # (draws, seeds) by data set, treatment, model and column
Truth = Callable[[Cell, str, str], float]  # of a cell's model and column, as a share


def published_truth(cell: Cell, model: str, column: str) -> float:
    """Returns the published number, or what stands in for one."""
    treatment = Treatment.of(cell)
    if column == ERROR:
        return float(published_numbers()[cell.dataset, *treatment, model, ERROR])
    return TRAINED.get((treatment, model), MADE_UP) if column == TRAIN_ERROR else MADE_UP


def idle_truth(cell: Cell, model: str, column: str) -> float:
    """Returns the published number of Single: what is true if collaboration does nothing."""
    return published_truth(dataclasses.replace(cell, method="single", alpha=0.0), model, column)


def draw_values(rng: np.random.Generator, draws: int, seeds: int, truth: Truth = published_truth) -> Values:
    """Returns figures of so many seeds in each draw, as whole numbers of examples, normally spread around the truth."""
    values = {}
    for cell in load_grid("full").cells:
        info, treatment = DATASETS[cell.dataset], Treatment.of(cell)
        columns = (ERROR, TRAIN_ERROR, TRAINING, ROUGHNESS) if treatment in (L2, SINGLE) else (ERROR,)
        for model, column in itertools.product(cell.models, columns):
            size = info.test if column == ERROR else info.train
            drawn = truth(cell, model, column) + SPREAD[cell.dataset] * rng.standard_normal((draws, seeds))
            values[cell.dataset, treatment, model, column] = np.rint(drawn * size) / size
    return values


def first_seeds(values: Values, seeds: int) -> Values:
    """Returns the same draws with fewer seeds."""
    return {key: drawn[:, :seeds] for key, drawn in values.items()}


def published_claims() -> list[Claim]:
    """Returns the eleven claims with all their comparisons, on one run that has the published numbers."""
    return judge_claims(make_studies(_make_frame(published_truth, [0]), load_grid("full").cells))


def studies_of_draw(values: Values, draw: int) -> list[Study]:
    """Returns one draw as the studies of a run. They hold last epochs only, so nothing that is derived from curves."""
    seeds = next(iter(values.values())).shape[1]

    def value(cell: Cell, model: str, column: str) -> float:
        drawn = values.get((cell.dataset, Treatment.of(cell), model, column))
        return np.nan if drawn is None else float(drawn[draw, cell.seed])

    return make_studies(_make_frame(value, range(seeds)), load_grid("full").with_seeds(seeds).cells)


def _make_frame(value: Truth, seeds: Sequence[int]) -> pd.DataFrame:
    rows = []
    for cell in (c.with_seed(s) for c in load_grid("full").cells for s in seeds):
        info = DATASETS[cell.dataset]
        kept = {"cell_id": cell.id, "method": cell.method, "alpha": cell.alpha, "seed": cell.seed}
        kept |= {"epoch": cell.epochs, "epochs": cell.epochs, "test_agreement": np.nan, "learning_rate": 1.0}
        kept |= {"train_examples": info.train, "test_examples": info.test}
        rows += [{**kept, "model": m, **{c: value(cell, m, c) for c in (ERROR, TRAIN_ERROR)}} for m in cell.models]
    return pd.DataFrame(rows)
