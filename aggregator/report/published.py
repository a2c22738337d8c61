"""Our numbers beside the paper's published ones."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources

import pandas as pd
from scipy import stats

from aggregator.entries import NOTHING, Entry, count_entry, number_entry, text_entry, treatment_entry
from aggregator.statistics import LEVEL, binomial_difference
from aggregator.study import COST, ERROR, TITLES, Study
from aggregator.tables import Table
from experiment.cell import Cell
from experiment.datasets import DATASETS, STANDARD
from experiment.extensions import NEUTRAL

INSIDE, OUTSIDE = "inside", "outside"
_EPOCHS = {"mnist": 30, "cifar10": 30, STANDARD: 30, "notmnist": 15}
_TESTED = 10_000  # examples of each of the paper's test sets; of notMNIST's small set, it left some out


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
    """Whether the study trains what the paper trained: its members and settings, and all examples of its data set.

    It may be tested on all test examples that there are, or on as many as the paper's. Of the head the paper gives two accounts,
    of the recipe its program another one, and the arithmetic is the device's: these may differ.
    """
    if study.dataset not in _EPOCHS or not len(study.rows):
        return False
    info, row, cell = DATASETS[study.dataset], study.rows.iloc[0], study.cells[0]
    published = Cell(dataset=study.dataset, method="single", epochs=_EPOCHS[study.dataset])
    same = ("members", "epochs", "batch_size", "learning_rate", "weight_decay", *(n for n in NEUTRAL if n != "recipe"))
    return all(getattr(cell, n) == getattr(published, n) for n in same) and (
        row["train_examples"] == info.train and row["test_examples"] in (info.test, _TESTED)
    )


def comparison_table(study: Study) -> Table:
    """Returns each of our numbers with the published one, the difference and its interval."""
    return Table(
        name=study.file_name("beside-the-paper"),
        title=f"{study.title}: beside tables A.7–A.12",
        caption="Ours (the mean over seeds), the paper's, and the difference with the 95 % interval within which one more run "
        "like the paper's should fall: over several seeds a prediction interval, for errors with the variance of both test "
        "sets, which differ; of one run, for errors, the binomial error of both. One run has no interval for costs.",
        columns=("figure", "method, alpha", "model", "n", "ours", "paper", "difference", "interval", "paper's is"),
        rows=(*_rows(study, ERROR, "error %", 100, ".2f"), *_rows(study, COST, "cost", 1, ".4f")),
    )


def _rows(study: Study, column: str, figure: str, factor: float, form: str) -> list[tuple[Entry, ...]]:
    rows, published = [], "cifar10" if study.dataset == STANDARD else study.dataset
    for treatment in study.treatments:
        for model in study.models:
            paper = published_numbers().get((published, treatment.method, treatment.alpha, model, column))
            if paper is not None:
                ours = study.final(treatment, model, column) * factor
                names = (text_entry(figure), treatment_entry(treatment), text_entry(model))
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
        number_entry(difference, f"+{form}"),
        Entry(text=f"±{half:{form}}", bounds=(-half, half)) if known else text_entry(NOTHING),
        text_entry((INSIDE if abs(difference) <= half else OUTSIDE) if known else NOTHING),
    )


def _half_width(study: Study, column: str, ours: pd.Series, paper: float) -> float:
    n = len(ours)
    if n > 1:
        of_seeds = float(ours.var(ddof=1)) * (1 + 1 / n)
        of_images = _variance_of_images(study, float(ours.mean()), paper) if column == ERROR else 0.0
        return prediction_half_width(of_seeds, n - 1, of_images)
    if column != ERROR:
        return math.nan
    d = binomial_difference([float(ours.iloc[0]) / 100, paper / 100], [study.size(), _TESTED], [1, -1])
    return 100 * (d.interval[1] - d.interval[0]) / 2


def prediction_half_width(of_seeds: float, freedom: int, of_images: float) -> float:
    """Returns the half width of a 95 % interval from a variance over seeds and one over images that is as good as known.

    The degrees of freedom are Satterthwaite's.
    """
    total = of_seeds + of_images
    freedom_of_both = freedom * (total / of_seeds) ** 2 if of_seeds else math.inf
    return float(stats.t.ppf((1 + LEVEL) / 2, freedom_of_both) * math.sqrt(total))


def _variance_of_images(study: Study, ours: float, paper: float) -> float:
    """Returns what two other test sets add to the difference of two errors, all in percent."""
    d = binomial_difference([ours / 100, paper / 100], [study.size(), _TESTED], [1, -1])
    return (100 * d.error) ** 2
