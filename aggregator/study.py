"""A study: the results of one data set under one training setting, asked for by method, alpha and model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aggregator.slugs import make_slugs
from aggregator.statistics import Difference, binomial_difference, mcnemar_difference, paired_difference
from experiment.cell import METHODS, Cell
from experiment.datasets import title_of
from experiment.members import ALONE, ENSEMBLE

TITLES = {
    "single": "Single",
    "ce": "CE",
    "l2": "L2",
    "l1": "L1",
    "mutual": "Mutual",
    "consensus": "Consensus",
    "distillation": "Distillation",
}
ERROR, COST, CROSS_ENTROPY = "test_error", "test_cost", "test_cross_entropy"


class Treatment(NamedTuple):
    """A method and its alpha: a row of the paper's tables."""

    method: str
    alpha: float

    @classmethod
    def of(cls, cell: Cell) -> Treatment:
        """The treatment of a cell."""
        return cls(cell.method, cell.alpha)

    @property
    def title(self) -> str:
        """The name in tables: ``L2 0.01``, ``Single``."""
        return TITLES[self.method] if self.method == "single" else f"{TITLES[self.method]} {self.alpha}"


SINGLE = Treatment("single", 0.0)
ORDER = {
    m: i for i, m in enumerate(("ce", "l1", "l2", "mutual", "consensus", "distillation", "single"))
}  # the paper's order of rows
WIDEST = 36  # characters of a title over one of three panels
TOGETHER = tuple(m for m in METHODS if m not in ALONE)
Model = tuple[Treatment, str]  # one model of a study: its treatment and its name
Wrong = Mapping[tuple[Treatment, int], Mapping[str, NDArray[np.bool_]]]


@dataclass(frozen=True, kw_only=True)
class Study:
    """The results of one data set under one setting.

    Attributes:
        setting: what tells it from the run's other studies of the data set; empty if there are none.
        slug: data set and setting as a part of names of files and anchors, unlike that of any other study of the run.
        cells: the grid's cells, done or not.
        rows: all epochs of the cells that are done.
        members: the members' names.
        treatments: the methods and alphas that the grid asks for, done or not, in the order of the tables.
        asked: by treatment, the number of seeds that the grid asks for.
        wrong: which test examples were wrong, by treatment and seed, then by model, where predictions were read.
    """

    dataset: str
    setting: str
    slug: str
    cells: tuple[Cell, ...]
    rows: pd.DataFrame
    members: tuple[str, ...]
    treatments: tuple[Treatment, ...]
    asked: Mapping[Treatment, int]
    wrong: Wrong = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The data set's name, and the setting if there are several."""
        return title_of(self.dataset) + (f" ({self.setting})" if self.setting else "")

    @property
    def label(self) -> str:
        """The title as it stands over panels beside a model's name: without the setting if that would not fit."""
        fits = len(self.title) + max(map(len, self.models)) < WIDEST
        return self.title if fits else title_of(self.dataset)

    def file_name(self, what: str, member: str = "") -> str:
        """The name of this study's files of one kind, of one member if given."""
        parts = [self.slug, make_slugs(self.members)[member], what] if member else [self.slug, what]
        return "-".join(parts)

    @property
    def models(self) -> tuple[str, ...]:
        """The members, then the ensemble."""
        return (*self.members, ENSEMBLE)

    @cached_property
    def last(self) -> pd.DataFrame:
        """The rows of the last epoch."""
        return self.rows[self.rows["epoch"] == self.rows["epochs"]]

    @cached_property
    def _finals(self) -> Mapping[Model, pd.DataFrame]:
        return {k: g.set_index("seed").sort_index() for k, g in _group_by_model(self.last).items()}

    @cached_property
    def _read(self) -> dict[tuple[Treatment, str, str], pd.Series]:
        return {}

    @cached_property
    def _curves(self) -> Mapping[Model, pd.DataFrame]:
        return _group_by_model(self.rows)

    def final(self, treatment: Treatment, model: str, column: str = ERROR) -> pd.Series:
        """The column's values after the last epoch, by seed; empty if there are none."""
        if (treatment, model, column) not in self._read:  # asked for by hundreds of comparisons
            group = self._finals.get((treatment, model))
            found = pd.Series(dtype=float) if group is None else group[column].dropna()
            self._read[treatment, model, column] = found
        return self._read[treatment, model, column]

    def curve(self, treatment: Treatment, model: str, column: str = ERROR) -> pd.DataFrame:
        """The column's values by epoch (rows) and seed (columns); empty if there are none."""
        group = self._curves.get((treatment, model))
        if group is None or group[column].isna().all():
            return pd.DataFrame()
        return group.pivot(index="epoch", columns="seed", values=column).dropna(how="all").dropna(axis=1, how="all")

    def collaborative(self, methods: Sequence[str] = TOGETHER) -> list[Treatment]:
        """The treatments by these methods, of which Single is none; by default by those that train members together."""
        return [t for t in self.treatments if t.method in methods and t.method != "single"]

    @property
    def beside_single(self) -> list[Treatment]:
        """All treatments but Single."""
        return self.collaborative(METHODS)

    @property
    def methods(self) -> list[str]:
        """The methods of these treatments."""
        return [m for m in METHODS if self.collaborative((m,))]

    def size(self, column: str = "test_examples") -> int:
        """The number of test (or training) examples."""
        return int(self.rows[column].iloc[0]) if len(self.rows) else 0

    def compare(self, a: Model, b: Model, column: str = ERROR) -> Difference | None:
        """The difference a - b after the last epoch: paired over seeds; with one seed, over test examples.

        None if either has no results, or if one run of each cannot tell (any figure but the error).
        """
        x, y = self.final(*a, column), self.final(*b, column)
        seeds = x.index.intersection(y.index)
        if len(seeds) >= 2:
            return paired_difference(x[seeds].to_numpy(), y[seeds].to_numpy())
        if not len(seeds) or column != ERROR:
            return None
        seed = int(seeds[0])
        wrong = [self.wrong.get((treatment, seed), {}).get(model) for treatment, model in (a, b)]
        if wrong[0] is not None and wrong[1] is not None:
            return mcnemar_difference(wrong[0], wrong[1])
        return binomial_difference([float(x[seed]), float(y[seed])], [self.size()] * 2, [1, -1])


def _group_by_model(rows: pd.DataFrame) -> dict[Model, pd.DataFrame]:
    groups: Any = rows.groupby(["method", "alpha", "model"], observed=True)
    return {(Treatment(method, alpha), model): group for (method, alpha, model), group in groups}
