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
# By recipe: the end of the network in the paper's text and in its program.
_HEADS = {"paper": "wide", "program": "plain"}
_ACCOUNTS = {"paper": "the paper's text", "program": "the author's program"}
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


def unlike_published(study: Study) -> list[str]:
    """Returns in which settings the study is not what the paper trained; nothing if its numbers may stand beside the paper's.

    The paper's text and the author's program describe its training differently, and each has a head of its own. All test
    examples that there are may be tested, or as many as in the paper. The arithmetic is the device's and may differ.
    """
    if study.dataset not in _EPOCHS:
        return ["a data set that the paper does not have"]
    info, row, cell = DATASETS[study.dataset], study.rows.iloc[0], study.cells[0]
    published = Cell(dataset=study.dataset, method="single", epochs=_EPOCHS[study.dataset], head=_HEADS[cell.recipe])
    same = (
        "members",
        "epochs",
        "batch_size",
        "learning_rate",
        "weight_decay",
        "head",
        *(n for n in NEUTRAL if n != "recipe"),
    )
    wanted = {name: getattr(published, name) for name in same} | {"train_examples": info.train}
    found = {name: getattr(cell, name) for name in same} | {"train_examples": int(row["train_examples"])}
    if row["test_examples"] != _TESTED:
        wanted["test_examples"], found["test_examples"] = info.test, int(row["test_examples"])
    return [_describe(name, found[name], wanted[name]) for name in wanted if found[name] != wanted[name]]


def _describe(name: str, found: object, wanted: object) -> str:
    if name in ("members", "pull", "teacher"):  # too long to be spelled out
        return f"other {name}"
    return f"{name} {found} (the paper's: {wanted})"


def comparison_table(study: Study) -> Table:
    """Returns each of our numbers with the published one, the difference and its interval."""
    account = _ACCOUNTS[study.cells[0].recipe]
    return Table(
        name=study.file_name("beside-the-paper"),
        title=f"{study.title}: beside tables A.7–A.12",
        caption="Ours (the mean over seeds), the paper's, and the difference with the 95 % interval within which one more run "
        "like the paper's should fall: over several seeds a prediction interval, for errors with the variance of both test "
        "sets, which differ; of one run, for errors, the binomial error of both. One run has no interval for costs. "
        f"Ours were trained as {account} has it.",
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
