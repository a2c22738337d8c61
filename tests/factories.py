"""Makes results and progress in the form in which a trainer writes them, for tests of what reads them."""

from __future__ import annotations

from experiment import keys, records, results
from experiment.cell import Cell
from experiment.records import Progress, utc_now
from experiment.store import Store


def epochs_table(cell: Cell, attempt: str = "made"):
    """The cell's table of epochs, with figures that depend on model and epoch only."""
    rows = [(m, e) for e in range(1, cell.epochs + 1) for m in cell.models]
    figures = {
        name: [e / (len(m) * cell.epochs + 1) for m, e in rows]
        for name in results.EPOCH_COLUMNS
        if name not in ("model", "epoch")
    }
    values = results.cell_values(
        cell, train_examples=cell.train_examples or 1437, test_examples=cell.test_examples or 360
    )
    columns = {
        **results.repeat_values(values, len(rows)),
        **figures,
        "model": [m for m, _ in rows],
        "epoch": [e for _, e in rows],
        "seconds": [2.0] * len(rows),
        "images_per_second": [1000.0] * len(rows),
    }
    return results.to_table("epochs", columns, {"attempt": attempt, "device": "made", "training_seconds": 4.0})


def commit(store: Store, cell: Cell, attempt: str = "made") -> bool:
    """Commits the cell; True if this attempt's results are the ones there."""
    return store.put_once(keys.epochs(cell), results.to_bytes(epochs_table(cell, attempt)), attempt)


def put_progress(store: Store, cell: Cell, attempt: str) -> None:
    """Puts what an attempt at the cell says now: half of its two epochs are done."""
    record = Progress(
        cell=cell.id,
        attempt=attempt,
        epoch=1,
        epochs=2,
        step=2,
        steps=4,
        images_per_second=1234.0,
        seconds_left=75.0,
        time=utc_now(),
    )
    store.put(keys.progress(cell.id), records.to_bytes(record))
