"""Writing to the store beside the training: one write at a time, which the training neither waits for nor depends on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from experiment.errors import ExperimentError, describe_error


class BackgroundWriter:
    """A thread that does the writes of a training in turn. A write that fails is said, and not tried again.

    An unforeseen error of a write is raised by a later use of the writer, in the thread that uses it.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._writes: list[Future[None]] = []

    @property
    def is_idle(self) -> bool:
        """Whether all writes have ended."""
        return all(write.done() for write in self._writes)

    def start(self, what: str, write: Callable[[], None]) -> None:
        """Has the write done after those before it; ``what`` names it if it fails."""
        for ended in [w for w in self._writes if w.done()]:
            self._writes.remove(ended)
            ended.result()
        self._writes.append(self._pool.submit(self._try, what, write))

    def drain(self) -> None:
        """Waits until all writes have ended."""
        while self._writes:
            self._writes.pop(0).result()

    def close(self) -> None:
        """Waits until all writes have ended, and ends the thread."""
        self._pool.shutdown()
        self.drain()

    def _try(self, what: str, write: Callable[[], None]) -> None:
        try:
            write()
        except ExperimentError as error:
            self._say(f"{what} was not kept: {describe_error(error)}")
