"""Makes runs: committed results with known errors, written by the suite's own writers, without any training."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiment import artifacts, keys, results
from experiment.cell import Cell
from experiment.datasets import DATASETS
from experiment.grid import Grid, load_grid
from experiment.members import ENSEMBLE
from experiment.prepared import Manifest
from experiment.provenance import Provenance
from experiment.run import Run
from experiment.store import LocalStore, Store

RUN = "made"
Error = Callable[[Cell, str], float]


def flat_error(cell: Cell, model: str) -> float:
    """The same error for every method: what a claim must not find a difference in."""
    return {"ST": 0.08, "M": 0.06, ENSEMBLE: 0.05}[model]


def committed_store(
    root: Path, *, cells: Iterable[Cell] | None = None, error: Error = flat_error, predictions: bool = True
) -> LocalStore:
    """A store with all cells of a run done; by default the demo grid's."""
    store = LocalStore(root, create=True)
    grid = Grid(name="made", cells=tuple(cells or load_grid("demo").cells))
    freeze_run(store, grid)
    for cell in grid.cells:
        commit_cell(store, cell, error, predictions=predictions)
    return store


def freeze_run(store: Store, grid: Grid, name: str = RUN) -> None:
    run = Run(name=name, grid=grid, provenance={"git_commit": "abc", "time": "2026-01-01T00:00:00+00:00"})
    store.put(keys.grid(name), run.to_bytes())


def commit_cell(
    store: Store, cell: Cell, error: Error = flat_error, *, predictions: bool | bytes = True, **facts: object
) -> None:
    """Commits a cell with these predictions, or those of its errors; without, it is a commit of the time before digests."""
    named, facts = {}, {"inference": made_inference(cell), **facts}
    if predictions is True:
        table = results.to_table("predictions", prediction_columns(cell, error), made_provenance(**facts))
        predictions = results.to_bytes(table)
    if predictions:
        named = put_artifacts(store, cell, predictions)
    table = results.to_table("epochs", epoch_columns(cell, error), made_provenance(**facts, **named))
    store.put(keys.epochs(cell), results.to_bytes(table))


def put_artifacts(store: Store, cell: Cell, predictions: bytes) -> dict[str, dict[str, str]]:
    """Puts predictions and models that are none; returns what a commit says of them."""
    made = {keys.predictions(cell): predictions}
    made |= {keys.model(cell.id, m.name): f"{m.name} of {cell.id}".encode() for m in cell.members}
    for key, data in made.items():
        store.put(key, data)
    return artifacts.name_artifacts({key: artifacts.compute_digest(data) for key, data in made.items()})


def made_inference(cell: Cell, times: dict[str, float] | None = None) -> dict[str, dict[str, float]]:
    """What inference takes: the paper's counts, and ``times`` per image with a little noise that depends on the cell."""
    sizes = {"ST": (47_098, 4_324_096), "M": (283_450, 28_020_224), ENSEMBLE: (330_548, 32_344_320)}
    noise = np.random.default_rng([1, cell.seed, sum(map(ord, cell.id))])
    made = {}
    for model, (parameters, multiply_adds) in sizes.items():
        time = (times or {"ST": 1e-4, "M": 4e-4, ENSEMBLE: 5e-4})[model] * float(noise.uniform(1, 1.02))
        made[model] = {
            "parameters": parameters,
            "multiply_adds": multiply_adds,
            "images_per_second_1": 0.5 / time,
            "images_per_second_64": 1 / time,
        }
    return {m: own for m, own in made.items() if m in cell.models}


def made_provenance(**changes: object) -> dict[str, object]:
    facts = Provenance(
        attempt="a1",
        numerics=1,
        git_commit="abc",
        image="",
        device="CPU <fast>",
        arithmetic="float32",
        packages={"tensorflow": "2.21"},
        dataset_sha256="00",
        deterministic=True,
        started="2026-01-01T00:00:00+00:00",
        ended="2026-01-01T00:10:00+00:00",
        resumed_from_step=0,
        training_seconds=600.0,
        peak_memory_bytes=1,
        processor="fast",
    )
    return {**vars(facts), **changes}


def epoch_columns(cell: Cell, error: Error = flat_error) -> dict[str, list]:
    """Curves that fall to ``error``, with a little noise that depends on cell and model alone."""
    info = DATASETS[cell.dataset]
    test = cell.test_examples or info.test
    columns: dict[str, list] = {name: [] for name in results.EPOCH_COLUMNS}
    for model in cell.models:
        noise = np.random.default_rng([cell.seed, len(model), sum(map(ord, cell.id))]).normal(0, 0.05, cell.epochs)
        final = error(cell, model)
        for i in range(cell.epochs):
            fall = 1 + (5 * 0.5**i + noise[i] if i < cell.epochs - 1 else 0)
            wrong = round(min(final * fall, 1) * test) / test
            row = {
                "model": model,
                "epoch": i + 1,
                "train_error": wrong / 2,
                "train_cost": wrong + 0.02,
                "train_cross_entropy": wrong,
                "test_error": wrong,
                "test_cost": 2 * wrong + 0.02,
                "test_cross_entropy": 2 * wrong,
                "test_ece": 0.01,
                "test_agreement": 0.95,
                "validation_error": float("nan"),
                "validation_cross_entropy": float("nan"),
                "learning_rate": 2.0**-10,
                "collaboration_weight": cell.alpha,
                "seconds": 30.0,
                "images_per_second": 1000.0,
            }
            if i == cell.epochs - 1:
                row |= final_figures(cell, error, model, test)
            for name, value in row.items():
                columns[name].append(value)
    values = results.cell_values(cell, train_examples=cell.train_examples or info.train, test_examples=test)
    return {**results.repeat_values(values, len(columns["epoch"])), **columns}


def final_figures(cell: Cell, error: Error, model: str, examples: int) -> dict[str, float]:
    """What the logits of ``prediction_columns`` come to: 4 for the predicted class and 0 for the nine others."""
    wrong = round(error(cell, model) * examples) / examples
    members = [round(error(cell, m.name) * examples) / examples for m in cell.members]
    total = math.exp(4) + 9
    entropy = math.log(total) - 4 * (1 - wrong)
    return {
        "test_cross_entropy": entropy,
        "test_cost": entropy + 0.02,
        "test_ece": abs(1 - wrong - math.exp(4) / total),
        "test_agreement": 1 - (max(members) - min(members)),
    }


def prediction_columns(cell: Cell, error: Error = flat_error) -> dict[str, object]:
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
        **results.repeat_values(results.prediction_values(cell), len(predicted)),
        "model": np.repeat(np.array(cell.models, object), n),
        "example": np.tile(np.arange(n), len(cell.models)),
        "label": np.tile(label, len(cell.models)),
        "prediction": predicted,
        "logits": list(logits),
    }


def prepare_digits(store: Store, *, digest: str = "", **arrays: np.ndarray) -> None:
    """A prepared data set with its manifest; ``digest`` and ``arrays`` take the place of what belongs there."""
    x = np.random.default_rng(0).integers(0, 17, (100, 8, 8, 1), dtype=np.uint8)
    y = (np.arange(len(x)) % 10).astype(np.uint8)
    sink = io.BytesIO()
    np.savez(sink, **{"x_train": x, "y_train": y, "x_test": x[:10], "y_test": y[:10], **arrays})
    sha256 = digest or hashlib.sha256(sink.getvalue()).hexdigest()
    manifest = Manifest(
        name="digits",
        sha256=sha256,
        key=keys.dataset("digits", sha256),
        train=len(x),
        test=10,
        shape=(8, 8, 1),
        source=(),
        skipped=0,
        created="2026-01-01T00:00:00+00:00",
    )
    store.put(manifest.key, sink.getvalue())
    store.put(keys.dataset_manifest("digits"), manifest.to_bytes())


def replace_result(store: Store, cell: Cell, table: pa.Table) -> None:
    """Puts any table in the place of a cell's result."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    store.put(keys.epochs(cell), sink.getvalue().to_pybytes())
