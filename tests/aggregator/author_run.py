"""The author's recorded series as committed results of our schema: a run of 39 cells whose numbers are published."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

from experiment import keys, results
from experiment.cell import Cell
from experiment.datasets import DATASETS
from experiment.grid import Grid, load_grid
from experiment.provenance import Provenance
from experiment.run import Run
from experiment.store import LocalStore

SHARED = Path(__file__).parents[2].parent / "shared" / "paper"
RUN = "author-2017"
TESTED = 10_000  # examples of each of his test sets: his errors are whole numbers of them
_NAMES = {info.title: name for name, info in DATASETS.items()}


def committed_store(root: Path) -> LocalStore:
    """A store that holds the author's run."""
    store = LocalStore(root, create=True)
    series = pd.read_parquet(SHARED / "epochs.parquet")
    series["dataset"] = series["dataset"].map(_NAMES)
    series["method"] = series["method"].str.lower()
    series.loc[series["method"] == "single", "alpha"] = 0.0
    groups = dict(list(series.groupby(["dataset", "method", "alpha"])))
    cells = load_grid("full").cells
    for cell in cells:
        commit_cell(store, cell, groups[cell.dataset, cell.method, cell.alpha])
    run = Run(name=RUN, grid=Grid(name="full", cells=cells), provenance={"time": "2017-06-01T00:00:00Z"})
    store.put_once(keys.grid(RUN), run.to_bytes(), "author")
    return store


def commit_cell(store: LocalStore, cell: Cell, rows: pd.DataFrame) -> None:
    """One of the author's ensembles, as the trainer would have committed it.

    He recorded cross-entropy + decay as a member's cost and nothing of calibration or agreement: those are NaN.
    """
    info = DATASETS[cell.dataset]
    nothing = [float("nan")] * len(rows)
    of_ensemble = rows["model"] == "Ens"
    seconds = rows["wall_seconds"] / cell.epochs
    columns = {
        **results.repeat_values(results.cell_values(cell, train_examples=info.train, test_examples=TESTED), len(rows)),
        "model": rows["model"],
        "epoch": rows["epoch"],
        "train_error": rows["train_error"] / 100,
        "train_cost": rows["train_cost"],
        "train_cross_entropy": rows["train_cost"].where(of_ensemble),
        "test_error": rows["test_error"] / 100,
        "test_cost": rows["test_cost"],
        "test_cross_entropy": rows["test_cost"].where(of_ensemble),
        "test_ece": nothing,
        "test_agreement": nothing,
        "validation_error": nothing,
        "validation_cross_entropy": nothing,
        "collaboration_weight": [cell.alpha] * len(rows),
        "learning_rate": [cell.learning_rate * _halvings(e - 1, cell.epochs) for e in rows["epoch"]],
        "seconds": seconds,
        "images_per_second": info.train / seconds,
    }
    day = dt.datetime(2017, 6, 1, tzinfo=dt.UTC)
    took = float(rows["wall_seconds"].iloc[0])
    provenance = Provenance(
        attempt="author",
        numerics=0,
        git_commit="",
        image="",
        device="Tesla K80",
        arithmetic="float32",
        packages={"tensorflow": "1.1"},
        dataset_sha256="",
        deterministic=False,
        started=day.isoformat(),
        ended=(day + dt.timedelta(seconds=took)).isoformat(),
        resumed_from_step=0,
        training_seconds=took,
        peak_memory_bytes=0,
    )
    table = results.to_table("epochs", {k: list(v) for k, v in columns.items()}, vars(provenance))
    assert store.put_once(keys.epochs(cell), results.to_bytes(table), "author")


def _halvings(epoch: int, epochs: int) -> float:
    passed = (epoch >= 0.5 * epochs) + (epoch >= 0.75 * epochs) + (epoch > 0.9 * epochs)
    return float(0.5**passed)
