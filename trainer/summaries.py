"""TensorBoard summaries of a cell: its graph, and the figures of each epoch, as event files in the store.

One file per epoch, put once: a store has no appending, and TensorBoard reads the files of a folder in the order of their
names and goes on to the next when it comes. What an earlier attempt put is the same figures and stays.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import tensorflow as tf

from experiment import keys
from experiment.cell import Cell
from experiment.datasets import DATASETS
from experiment.store import Store
from trainer.model.program import Program
from trainer.model.types import Figures

Event, Summary = tf.compat.v1.Event, tf.compat.v1.Summary  # TensorBoard's own messages; the package is not needed
OF_EPOCH = ("learning_rate", "seconds", "images_per_second", "test_agreement")  # the same for every model


class Summaries:
    """What one attempt tells TensorBoard of its cell."""

    def __init__(self, store: Store, cell: Cell, attempt: str) -> None:
        self._store, self._cell, self._attempt = store, cell, attempt

    def begin(self, trained: Program, finished: Sequence[Figures]) -> None:
        """Puts the graph of the program that trains the cell, and the epochs that the attempt found finished.

        Raises:
            Transient: the store failed.
        """

        def graph() -> Event:
            traced = trained.graph(DATASETS[self._cell.dataset].shape, self._cell.batch_size)
            return Event(graph_def=traced.as_graph_def().SerializeToString())

        self._put(0, "graph", graph)
        for figures in enumerate(finished, start=1):
            self.epoch(*figures)

    def epoch(self, epoch: int, figures: Figures) -> None:
        """Puts the figures of an epoch, counted from 1.

        Raises:
            Transient: the store failed.
        """

        def values() -> Event:
            tagged = scalars(self._cell.models, figures)
            return Event(step=epoch, summary=Summary(value=[Summary.Value(tag=t, simple_value=v) for t, v in tagged]))

        self._put(epoch, "scalars", values)

    def _put(self, number: int, what: str, event: Callable[[], Event]) -> None:
        """Makes the event only if the store lacks it: tracing a graph takes seconds, and a resumed cell has put it."""
        key = keys.summary(self._cell.id, number, what)
        if not self._store.exists(key):
            self._store.put_once(key, to_bytes(event()), self._attempt)


def scalars(models: Sequence[str], figures: Figures) -> Iterator[tuple[str, float]]:
    """The tags and values of an epoch: ``COLUMN/MODEL``, or ``epoch/COLUMN`` for what all models share."""
    for model, row in zip(models, figures, strict=True):
        yield from ((f"{name}/{model}", value) for name, value in row.items() if name not in OF_EPOCH)
    yield from ((f"epoch/{name}", figures[0][name]) for name in OF_EPOCH)


def to_bytes(event: Event) -> bytes:
    """The content of an event file that holds one event."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events"
        with tf.io.TFRecordWriter(str(path)) as file:
            for each in (Event(file_version="brain.Event:2"), event):
                each.wall_time = time.time()
                file.write(each.SerializeToString())
        return path.read_bytes()
