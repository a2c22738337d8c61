"""Our numbers beside the paper's published ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from importlib import resources

import pandas as pd
from scipy import stats

from aggregator.statistics import LEVEL, binomial_difference
from aggregator.study import COST, ERROR, TITLES, Study
from aggregator.tables import NOTHING, Entry, Table, count_entry, number_entry, text_entry
from experiment.datasets import DATASETS

INSIDE, OUTSIDE = "inside", "outside"
_EPOCHS = {"mnist": 30, "cifar10": 30, "notmnist": 15}


@cache
def published_numbers() -> pd.Series:
    """Returns the 234 numbers of tables A.7-A.12 by (data set, method, alpha, model, column), errors as shares."""
    with resources.files("aggregator.report").joinpath("published.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    names = {info.title: name for name, info in DATASETS.items()}
    methods = {title: method for method, title in TITLES.items()}
    table["dataset"] = table["dataset"].map(names)
    table["method"] = table["method"].map(methods)
    table.loc[table["method"] == "single", "alpha"] = 0.0
    errors = table["metric"] == "test_error_percent"
    table.loc[errors, "value"] /= 100
    table["column"] = errors.map({True: ERROR, False: COST})
    return table.set_index(["dataset", "method", "alpha", "model", "column"])["value"]


def trains_as_published(study: Study) -> bool:
    """Whether the study trains what the paper trained: its members, epochs and all examples of its data set."""
    if study.dataset not in _EPOCHS or not len(study.rows):
        return False
    info, row = DATASETS[study.dataset], study.rows.iloc[0]
    return (
        study.members == ("ST", "M")
        and row["epochs"] == _EPOCHS[study.dataset]
        and (row["train_examples"], row["test_examples"]) == (info.train, info.test)
    )


def comparison_tables(studies: Sequence[Study]) -> list[Table]:
    """Returns one table for each study that the paper has numbers for."""
    return [comparison_table(s) for s in studies if trains_as_published(s)]


def comparison_table(study: Study) -> Table:
    """Returns each of our numbers with the published one, the difference and its interval."""
    return Table(
        name=study.file_name("beside-the-paper"),
        title=f"{study.title}: beside tables A.7–A.12",
        caption="Ours (the mean over seeds), the paper's, and the difference with the 95 % interval within which one more run "
        "like the paper's should fall: over several seeds a prediction interval; of one run, for errors, the binomial error "
        "of both. One run has no interval for costs.",
        columns=("figure", "method, alpha", "model", "n", "ours", "paper", "difference", "interval", "paper's is"),
        rows=(*_rows(study, ERROR, "error %", 100, ".2f"), *_rows(study, COST, "cost", 1, ".6g")),
    )


def _rows(study: Study, column: str, figure: str, factor: float, form: str) -> list[tuple[Entry, ...]]:
    rows = []
    for treatment in study.treatments:
        for model in study.models:
            paper = published_numbers().get((study.dataset, treatment.method, treatment.alpha, model, column))
            if paper is not None:
                ours = study.final(treatment, model, column) * factor
                names = tuple(map(text_entry, (figure, treatment.title, model)))
                rows.append((*names, *_compare_number(study, column, ours, float(paper) * factor, form)))
    return rows


def _compare_number(study: Study, column: str, ours: pd.Series, paper: float, form: str) -> tuple[Entry, ...]:
    if not len(ours):
        nothing = Entry(text=NOTHING, absent=True)
        unknown = text_entry(NOTHING)
        return (count_entry(0), nothing, number_entry(paper, form), nothing, unknown, unknown)
    difference = float(ours.mean()) - paper
    half = _half_width(study, column, ours, paper)
    known = math.isfinite(half)
    return (
        count_entry(len(ours)),
        number_entry(float(ours.mean()), form),
        number_entry(paper, form),
        Entry(text=f"{difference:+{form}}", value=difference),
        text_entry(f"±{half:{form}}" if known else NOTHING),
        text_entry((INSIDE if abs(difference) <= half else OUTSIDE) if known else NOTHING),
    )


def _half_width(study: Study, column: str, ours: pd.Series, paper: float) -> float:
    n = len(ours)
    if n > 1:
        return float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * ours.std(ddof=1) * math.sqrt(1 + 1 / n))
    if column != ERROR:
        return math.nan
    d = binomial_difference([float(ours.iloc[0]) / 100, paper / 100], [study.size()] * 2, [1, -1])
    return 100 * (d.interval[1] - d.interval[0]) / 2
