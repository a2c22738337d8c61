"""Made runs: committed results with known errors, through the suite's own writers, without any training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from experiment import keys, results
from experiment.cell import ENSEMBLE, Cell
from experiment.datasets import DATASETS
from experiment.grid import Grid, load_grid
from experiment.records import Provenance
from experiment.run import Run
from experiment.store import LocalStore, Store

RUN = "made"
Error = Callable[[Cell, str], float]


def flat(cell: Cell, model: str) -> float:
    """The same error for every method: what a claim must not find a difference in."""
    return {"ST": 0.08, "M": 0.06, ENSEMBLE: 0.05}[model]


def committed(
    root: Path, *, cells: Iterable[Cell] | None = None, error: Error = flat, predictions: bool = True
) -> LocalStore:
    """A store with all cells of a run done; by default the demo grid's."""
    store = LocalStore(root, create=True)
    grid = Grid(name="made", cells=tuple(cells or load_grid("demo").cells))
    freeze(store, grid)
    for cell in grid.cells:
        commit(store, cell, error, predictions=predictions)
    return store


def freeze(store: Store, grid: Grid, run: str = RUN) -> None:
    frozen = Run(name=run, grid=grid, provenance={"git_commit": "abc", "time": "2026-01-01T00:00:00+00:00"})
    store.put(keys.grid(run), frozen.to_bytes())


def commit(store: Store, cell: Cell, error: Error = flat, *, predictions: bool = True) -> None:
    if predictions:
        table = results.to_table("predictions", prediction_columns(cell, error), provenance())
        store.put(keys.predictions(cell), results.to_bytes(table))
    table = results.to_table("epochs", epoch_columns(cell, error), provenance())
    store.put(keys.epochs(cell), results.to_bytes(table))


def provenance(**changes: object) -> dict[str, object]:
    facts = Provenance(
        attempt="a1", numerics=1, git_commit="abc", image="", device="CPU <fast>", arithmetic="float32", packages={"tensorflow": "2.21"},
        dataset_sha256="00", deterministic=True, started="2026-01-01T00:00:00+00:00", ended="2026-01-01T00:10:00+00:00",
        resumed_from_step=0, training_seconds=600.0, peak_memory_bytes=1,
    )  # fmt: skip
    return {**vars(facts), **changes}


def epoch_columns(cell: Cell, error: Error = flat) -> dict[str, list]:
    """Curves that fall to ``error``, with a little noise that depends on cell and model alone."""
    info = DATASETS[cell.dataset]
    test = cell.test_examples or info.test
    columns: dict[str, list] = {name: [] for name in results.EPOCH_COLUMNS}
    for model in cell.models:
        noise = np.random.default_rng([cell.seed, len(model), sum(map(ord, cell.id))]).normal(0, 0.05, cell.epochs)
        final = error(cell, model)
        for i in range(cell.epochs):
            fall = 1 + 5 * 0.5**i + (noise[i] if i < cell.epochs - 1 else 0)
            wrong = round(min(final * fall, 1) * test) / test
            row = {
                "model": model, "epoch": i + 1, "train_error": wrong / 2, "train_cost": wrong + 0.02,
                "train_cross_entropy": wrong, "test_error": wrong, "test_cost": 2 * wrong + 0.02,
                "test_cross_entropy": 2 * wrong, "test_ece": 0.01, "test_agreement": 0.95, "learning_rate": 2.0**-10,
                "seconds": 30.0, "images_per_second": 1000.0,
            }  # fmt: skip
            for name, value in row.items():
                columns[name].append(value)
    values = results.cell_values(cell, train_examples=cell.train_examples or info.train, test_examples=test)
    return {**results.repeat_values(values, len(columns["epoch"])), **columns}


def prediction_columns(cell: Cell, error: Error = flat) -> dict[str, object]:
    """Predictions whose errors are those of ``epoch_columns``: the first examples are the wrong ones."""
    n = cell.test_examples or DATASETS[cell.dataset].test
    label = np.arange(n) % 10
    parts = []
    for model in cell.models:
        prediction = label.copy()
        prediction[: round(error(cell, model) * n)] += 1
        prediction %= 10
        parts.append(prediction)
    predicted = np.concatenate(parts)
    logits = np.zeros((len(predicted), 10), np.float32)
    logits[np.arange(len(predicted)), predicted] = 4
    return {
        "cell_id": [cell.id] * len(predicted),
        "model": np.repeat(np.array(cell.models, object), n),
        "example": np.tile(np.arange(n), len(cell.models)),
        "label": np.tile(label, len(cell.models)),
        "prediction": predicted,
        "logits": list(logits),
    }
