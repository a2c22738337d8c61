"""TensorBoard summaries of a cell: its graph, and the figures of each epoch, as event files in the store.

A store cannot append to a file, so each epoch is a file of its own, put once. TensorBoard reads the files of a folder in
the order of their names, and new ones as they come. Files of an earlier attempt hold the same figures and stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from experiment import keys
from experiment.cell import Cell
from experiment.store import Store
from trainer.model.program import Program
from trainer.model.scratch import scratch_file
from trainer.model.types import Figures

Event = Any  # one of TensorBoard's messages, which TensorFlow has: the package of that name is not needed
OF_EPOCH = ("learning_rate", "seconds", "images_per_second", "test_agreement")  # figures that all models share


class Summaries:
    """The summaries that one attempt at a cell puts into the store."""

    def __init__(self, store: Store, cell: Cell, attempt: str) -> None:
        self._store, self._cell, self._attempt = store, cell, attempt

    def put_graph(self, program: Program) -> None:
        """Puts the graph of the program that trains the cell.

        Raises:
            Transient: the store failed.
        """

        def graph() -> Event:
            traced = program.graph(self._cell.info.shape, self._cell.batch_size)
            return tf.compat.v1.Event(graph_def=traced.as_graph_def().SerializeToString())

        self._put(0, "graph", graph)

    def put_epoch(self, epoch: int, figures: Figures) -> None:
        """Puts the figures of an epoch, counted from 1.

        Raises:
            Transient: the store failed.
        """

        def values() -> Event:
            tagged = tagged_scalars(self._cell.models, figures)
            summary = tf.compat.v1.Summary
            values = [summary.Value(tag=tag, simple_value=value) for tag, value in tagged]
            return tf.compat.v1.Event(step=epoch, summary=summary(value=values))

        self._put(epoch, "scalars", values)

    def _put(self, number: int, what: str, event: Callable[[], Event]) -> None:
        """Makes and puts the event if the store lacks it: tracing a graph takes seconds, which a resumed cell need not spend."""
        key = keys.summary(self._cell.id, number, what)
        if not self._store.exists(key):
            self._store.put_once(key, to_bytes(event()), self._attempt)


def tagged_scalars(models: Sequence[str], figures: Figures) -> Iterator[tuple[str, float]]:
    """Yields the tags and values of an epoch: ``COLUMN/MODEL``, or ``epoch/COLUMN`` for figures that all models share."""
    for model, row in zip(models, figures, strict=True):
        yield from ((f"{name}/{model}", value) for name, value in row.items() if name not in OF_EPOCH)
    yield from ((f"epoch/{name}", figures[0][name]) for name in OF_EPOCH)


def to_bytes(event: Event) -> bytes:
    """Returns the content of an event file that holds one event."""
    with scratch_file("events") as path:
        with tf.io.TFRecordWriter(str(path)) as file:
            for each in (tf.compat.v1.Event(file_version="brain.Event:2"), event):
                each.wall_time = time.time()
                file.write(each.SerializeToString())
        return path.read_bytes()
