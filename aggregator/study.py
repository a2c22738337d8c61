"""A study: the results of one data set under one training setting, asked for by method, alpha and model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aggregator import statistics
from aggregator.statistics import Difference
from experiment.cell import ENSEMBLE, METHODS, Cell
from experiment.datasets import DATASETS

TITLES = {"single": "Single", "ce": "CE", "l2": "L2", "l1": "L1"}
ERROR, COST, CROSS_ENTROPY = "test_error", "test_cost", "test_cross_entropy"


class Weight(NamedTuple):
    """A method and its collaboration weight: a row of the paper's tables."""

    method: str
    alpha: float

    @property
    def title(self) -> str:
        """As the tables say it: ``L2 0.01``, ``Single``."""
        return TITLES[self.method] if self.method == "single" else f"{TITLES[self.method]} {self.alpha}"


SINGLE = Weight("single", 0.0)
ORDER = {m: i for i, m in enumerate(("ce", "l1", "l2", "single"))}  # the paper's order of rows
Wrong = Mapping[tuple[Weight, int], Mapping[str, NDArray[np.bool_]]]


@dataclass(frozen=True, kw_only=True)
class Study:
    """The results of one data set under one setting.

    Attributes:
        setting: what sets it apart from other studies of the data set in the run; empty if there are none.
        cells: those of the grid, done or not.
        rows: all epochs of those that are done.
        members: the members' names.
        weights: the methods and alphas that the grid asks for, done or not, in the order of the tables.
        asked: the number of seeds that the grid asks for, by weight.
        wrong: by weight and seed, by model, which test examples were wrong: where predictions were read.
    """

    dataset: str
    setting: str
    cells: tuple[Cell, ...]
    rows: pd.DataFrame
    members: tuple[str, ...]
    weights: tuple[Weight, ...]
    asked: Mapping[Weight, int]
    wrong: Wrong = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The data set's name, and the setting's if there are several."""
        return DATASETS[self.dataset].title + (f" ({self.setting})" if self.setting else "")

    @property
    def slug(self) -> str:
        """The title as part of a file's name."""
        text = f"{self.dataset}-{self.setting}" if self.setting else self.dataset
        return "".join(c if c.isalnum() else "-" for c in text.lower()).strip("-")

    @property
    def models(self) -> tuple[str, ...]:
        """The members, then the ensemble."""
        return (*self.members, ENSEMBLE)

    @cached_property
    def last(self) -> pd.DataFrame:
        """The rows of the last epoch."""
        return self.rows[self.rows["epoch"] == self.rows["epochs"]]

    @cached_property
    def _finals(self) -> Mapping[tuple[Weight, str], pd.DataFrame]:
        return {k: g.set_index("seed").sort_index() for k, g in _by_model(self.last).items()}

    @cached_property
    def _curves(self) -> Mapping[tuple[Weight, str], pd.DataFrame]:
        return _by_model(self.rows)

    def final(self, weight: Weight, model: str, column: str = ERROR) -> pd.Series:
        """The column's values after the last epoch, by seed; empty if there are none."""
        group = self._finals.get((weight, model))
        return pd.Series(dtype=float) if group is None else group[column].dropna()

    def curve(self, weight: Weight, model: str, column: str = ERROR) -> pd.DataFrame:
        """The column's values by epoch (rows) and seed (columns); empty if there are none."""
        group = self._curves.get((weight, model))
        if group is None or group[column].isna().all():
            return pd.DataFrame()
        return group.pivot_table(index="epoch", columns="seed", values=column, observed=True)

    def collaborative(self, methods: Sequence[str] = METHODS) -> list[Weight]:
        """The weights of collaborative methods."""
        return [w for w in self.weights if w.method in methods and w.method != "single"]

    def size(self, column: str = "test_examples") -> int:
        """The number of test (or training) examples."""
        return int(self.rows[column].iloc[0]) if len(self.rows) else 0

    def compare(self, a: tuple[Weight, str], b: tuple[Weight, str], column: str = ERROR) -> Difference | None:
        """The difference a - b after the last epoch: paired over seeds; with one seed, over test examples.

        None if either has no results, or if one run of each cannot tell (any figure but the error).
        """
        x, y = self.final(*a, column), self.final(*b, column)
        seeds = x.index.intersection(y.index)
        if len(seeds) >= 2:
            return statistics.paired(x[seeds].to_numpy(), y[seeds].to_numpy())
        if not len(seeds) or column != ERROR:
            return None
        seed = int(seeds[0])
        wrong = [self.wrong.get((w, seed), {}).get(model) for w, model in (a, b)]
        if wrong[0] is not None and wrong[1] is not None:
            return statistics.mcnemar(wrong[0], wrong[1])
        return statistics.unpaired([float(x[seed]), float(y[seed])], [self.size()] * 2, [1, -1])


def _by_model(rows: pd.DataFrame) -> dict[tuple[Weight, str], pd.DataFrame]:
    groups: Any = rows.groupby(["method", "alpha", "model"], observed=True)
    return {(Weight(method, alpha), model): group for (method, alpha, model), group in groups}


def studies(frame: pd.DataFrame, cells: Sequence[Cell]) -> list[Study]:
    """The run's studies, in the grid's order of data sets; one for each setting that its cells have."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    varied = _varied(cells)
    for cell in cells:
        setting = ", ".join(f"{k} {v}" for k, v in _facts(cell).items() if k in varied[cell.dataset])
        groups.setdefault((cell.dataset, setting), []).append(cell)
    return [_study(frame, dataset, setting, group) for (dataset, setting), group in groups.items()]


def _study(frame: pd.DataFrame, dataset: str, setting: str, cells: Sequence[Cell]) -> Study:
    ids = {c.id for c in cells}
    rows = frame[frame["cell_id"].isin(ids)]
    seeds: dict[Weight, int] = {}
    for c in cells:
        weight = Weight(c.method, c.alpha)
        seeds[weight] = seeds.get(weight, 0) + 1
    weights = sorted(seeds, key=lambda w: (ORDER[w.method], -w.alpha))
    return Study(dataset=dataset, setting=setting, cells=tuple(cells), rows=rows, members=tuple(m.name for m in cells[0].members),
                 weights=tuple(weights), asked=seeds)  # fmt: skip


def _facts(cell: Cell) -> dict[str, str]:
    """What may differ between two studies of one data set; method, alpha and seed differ within a study."""
    facts = {k: f"{v}" for k, v in cell.as_dict().items() if k not in ("dataset", "method", "alpha", "seed")}
    return {**facts, "members": " + ".join(f"{m.name} {m.bricks}x{m.blocks}x{m.filters}" for m in cell.members)}


def _varied(cells: Sequence[Cell]) -> dict[str, set[str]]:
    """By data set, the settings in which its cells differ."""
    values: dict[tuple[str, str], set[str]] = {}
    for cell in cells:
        for name, value in _facts(cell).items():
            values.setdefault((cell.dataset, name), set()).add(value)
    varied: dict[str, set[str]] = {}
    for (dataset, name), different in values.items():
        varied.setdefault(dataset, set()).update({name} if len(different) > 1 else ())
    return varied
