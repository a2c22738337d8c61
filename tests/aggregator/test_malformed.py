"""A store that is not whole: what contradicts itself is left out and named, the rest is reported, and nothing ends the report."""

from __future__ import annotations

import datetime as dt
import math
import shutil

import numpy as np
import pytest

from aggregator import load
from aggregator.reading.run import read_run_results
from aggregator.report.files import compose_page
from aggregator.report.material import read_all_predictions
from aggregator.report.opening import compose_opening
from aggregator.report.page import render_page
from aggregator.report.sections import cells_section
from experiment import keys
from experiment.grid import load_grid
from experiment.ledger import UNREADABLE
from experiment.run import read_run
from experiment.store import LocalStore
from tests.aggregator import factories, malformed
from tests.aggregator.malformed import HIT, edit, epochs, facts, predictions, put, swap, take

CELLS = load_grid("demo").cells
NOW = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
ONE, LAST, NONE, PAIR = [HIT], slice(59, 60), [], [HIT, HIT + 1]  # LAST: the ensemble's last epoch
MIDDLE = slice(30, 31)

# What is wrong, how it is made, the places in the grid of the cells that it costs, and what is said of them.
FILES = {
    "a torn result": (edit(keys.epochs, lambda d: d[:-9]), ONE, "is not a whole Parquet file"),
    "an empty result": (edit(keys.epochs, lambda d: b""), ONE, "is not a whole Parquet file"),
    "a bit of a result changed": (edit(keys.epochs, malformed.flip), ONE, "is not a whole Parquet file"),
    "two results swapped": (swap(keys.epochs), PAIR, "it was copied to a wrong place"),
    "a result copied over another": (malformed.copy, ONE, "it was copied to a wrong place"),
    "rows of two cells in one file": (malformed.mingle, ONE, "holds rows of several cells"),
    "torn predictions": (edit(keys.predictions, lambda d: d[:-9]), NONE, "and its commit names"),
    "a bit of predictions changed": (edit(keys.predictions, malformed.flip), NONE, "and its commit names"),
    "no predictions": (lambda s, c: s.delete(keys.predictions(c[HIT])), NONE, "does not exist, and"),
    "predictions of another cell": (malformed.copy_predictions, NONE, "and its commit names"),
}
ROWS = {
    "another alpha": (epochs(put("alpha", 0.5)), "another alpha than the run's grid"),
    "another first learning rate": (epochs(put("learning_rate_base", 7.0)), "another learning_rate_base than"),
    "another alpha in one row": (epochs(put("alpha", 0.5, MIDDLE)), "several values of alpha"),
    "another seed in one row": (epochs(put("seed", 9, MIDDLE)), "several values of seed"),
    "a cost that is no number": (epochs(put("test_cost", math.nan, LAST)), "test_cost of Ens is not a number in 5%"),
    "costs that are infinite": (epochs(put("test_cost", math.inf)), "test_cost is inf"),
    "costs below 0": (epochs(put("train_cost", -1.0)), "train_cost is -1; allowed: numbers from 0 on"),
    "an error above 1": (epochs(put("test_error", 1.5, LAST)), "test_error is 1.5; allowed: numbers from 0 to 1"),
    "an error below 0": (epochs(put("test_error", -0.1, LAST)), "test_error is -0.1"),
    "no errors": (epochs(put("test_error", math.nan)), "test_error is nan"),
    "an error that is no count": (epochs(put("test_error", lambda v: v * 0.1, LAST)), "stands for 1.8 of its test"),
    "another cross-entropy": (epochs(put("test_cross_entropy", 0.2, LAST)), "and the last epoch of its commit 0.2"),
    "another calibration error": (epochs(put("test_ece", 0.3, LAST)), "for Ens, and the last epoch of its commit 0.3"),
    "another agreement": (epochs(put("test_agreement", 0.5, LAST)), "for Ens, and the last epoch of its commit 0.5"),
    "a cost below its part": (epochs(put("test_cost", 1e-3, MIDDLE)), "test_cost is below test_cross_entropy"),
    "a training error above 1": (epochs(put("train_error", 2.0)), "train_error is 2"),
    "a calibration error above 1": (epochs(put("test_ece", 3.0)), "test_ece is 3"),
    "an agreement above 1": (epochs(put("test_agreement", 1.5)), "test_agreement is 1.5"),
    "a learning rate below 0": (epochs(put("learning_rate", -1.0)), "learning_rate is -1"),
    "less than no time": (epochs(put("seconds", -30.0)), "seconds is -30; allowed: numbers from 0 on"),
    "less than no speed": (epochs(put("images_per_second", -1.0)), "images_per_second is -1"),
    "less than no training time": (facts(training_seconds=-5.0), "its training_seconds is -5.0"),
    "no parameters": (facts(inference={"M": {"parameters": 0}}), "its parameters of M is 0; allowed: more than 0"),
    "the speed of a stranger": (facts(inference={"Q": {}}), "its inference is that of 'Q'; allowed: ST, M, Ens"),
    "a speed that is no number": (facts(inference={"M": {"parameters": "x"}}), "inference of"),
    "no training time": (facts(training_seconds=math.nan), "training_seconds of"),
    "a row less": (epochs(take(lambda c: np.arange(59))), "59 rows instead of 60"),
    "a model less": (epochs(take(lambda c: c["model"] != "M")), "40 rows instead of 60"),
    "rows twice": (epochs(take(lambda c: np.r_[np.arange(60), 0:5])), "5 rows repeat a model's epoch"),
    "a model of another name": (epochs(put("model", "Q", slice(0, 20))), "rows of 'Q', which is none of its models"),
    "epochs from 0": (epochs(put("epoch", lambda v: v - 1)), "epoch is 0; allowed: numbers from 1 on"),
    "epochs from 2": (epochs(put("epoch", lambda v: v + 1)), "epoch is 21, and the cell trains fewer"),
    "no test examples": (epochs(put("test_examples", 0)), "test_examples is 0"),
    "more test examples": (
        epochs(put("test_examples", 720)),
        "it has 720 test_examples, and 12 of the run's 13 cells",
    ),
    "fewer training examples": (epochs(put("train_examples", 7)), "it has 7 train_examples, and 12 of"),
    "another data set": (facts(dataset_sha256="11"), "trained on data with sha256 11, and 12 of the run's 13 cells"),
}
PREDICTIONS = {
    "shifted labels": (put("label", lambda v: (v + 1) % 10), "has a test error of 0.91"),
    "shifted labels, predictions and logits": (malformed.shift, "the labels of its predictions have sha256"),
    "all right": (malformed.all_right, "has a test error of 0 for ST, and the last epoch of its commit"),
    "of 200 examples": (take(lambda c: c["example"] < 200), "lacks or repeats test examples of ST"),
    "of no example": (take(lambda c: c["example"] < 0), "holds predictions of no model"),
    "twice": (take(lambda c: np.r_[0:1080, 0:1080]), "lacks or repeats test examples of ST"),
    "without a model": (take(lambda c: c["model"] != "M"), "holds predictions of Ens, ST, and its cell has ST, M, Ens"),
    "of one model too many": (malformed.add_model, "holds predictions of Ens, M, Q, ST, and its cell has"),
    "of another cell's id": (put("cell_id", "digits-x"), "holds predictions of another cell, 'digits-x'"),
    "labels that differ between models": (malformed.shift_labels_of_one_model, "has other labels for M than for ST"),
    "a label that is no class": (put("label", 12, slice(0, 1)), "a label is no class from 0 to 9"),
    "other classes than the logits'": (put("logits", lambda v: v[::-1], slice(300, 340)), "40 predictions are not the"),
    "scaled logits": (put("logits", lambda v: v * 2), "has a cross-entropy of"),
    "a logit that is no number": (put("logits", lambda v: v * np.nan, slice(0, 1)), "a logit is no finite number"),
}
CASES = {
    **FILES,
    **{f"rows: {name}": (damage, ONE, words) for name, (damage, words) in ROWS.items()},
    **{f"predictions: {name}": (predictions(change), ONE, words) for name, (change, words) in PREDICTIONS.items()},
    "predictions swapped, as the commits name them": (malformed.swap_predictions(named=True), PAIR, "of another cell"),
    "predictions swapped, before digests": (malformed.swap_predictions(named=False), PAIR, "of another cell"),
}


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    return factories.committed_store(tmp_path_factory.mktemp("whole") / "s").root


@pytest.fixture
def copied(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "s")
    return LocalStore(tmp_path / "s")


def read(store):
    """The run as a report reads it, and the problems of all files."""
    found, _, unusable = read_all_predictions(store, read_run_results(store, read_run(store, factories.RUN), NOW))
    return found, [*found.problems, *unusable]


def places(cell_ids):
    return sorted(i for i, cell in enumerate(CELLS) if cell.id in cell_ids)


def test_nothing_is_said_of_a_whole_store(copied):
    found, problems = read(copied)

    assert problems == []
    assert len(found.done) == 13


@pytest.mark.parametrize(("damage", "out", "words"), CASES.values(), ids=CASES)
def test_what_is_wrong_is_named_and_a_cell_that_contradicts_itself_is_left_out(copied, damage, out, words):
    damage(copied, CELLS)
    found, problems = read(copied)

    assert places({p.cell for p in problems}) == (out or ONE)
    assert any(words in p.reason for p in problems), [p.reason for p in problems]
    assert all("remove" in p.reason for p in problems), "what to do is not said"
    assert places({s.cell.id for s in found.undone}) == out
    assert all(s.state == UNREADABLE and s.reason and not s.final for s in found.undone)
    kept = {c.id for i, c in enumerate(CELLS) if i not in out}
    assert set(found.frame["cell_id"]) == set(found.provenance) == set(found.table["cell_id"].to_pylist()) == kept


def test_a_report_names_each_cell_that_is_left_out(copied, gather):
    chosen = [
        ROWS["an error above 1"][0],
        *(predictions(PREDICTIONS[n][0]) for n in ("of 200 examples", "without a model")),
    ]
    for i, damage in enumerate(chosen):
        damage(copied, CELLS[i:])
    material = gather(copied)
    page = render_page(compose_page(material, compose_opening(material), [cells_section(material.run)]))

    for words in ("test_error is 1.5", "lacks or repeats test examples of ST", "holds predictions of Ens, ST, and"):
        assert words in page
    assert "3 of 13 cells have no result (3 unreadable)" in page


def test_load_leaves_out_and_names_the_cells_whose_rows_contradict_themselves(copied):
    ROWS["a model less"][0](copied, CELLS)
    ROWS["another alpha"][0](copied, CELLS[1:])
    frame = load(f"{copied.url}/runs/{factories.RUN}", strict=False)

    assert places(set(frame["cell_id"])) == [i for i in range(13) if i not in PAIR]
    assert len(frame.attrs["problems"]) == 2
    assert frame.groupby("cell_id").size().tolist() == [60] * 11
