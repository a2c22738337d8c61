"""Stops a training on SIGTERM or Ctrl-C: it saves a checkpoint, or is ended within two seconds if it does not respond.

Programs that have nothing to save are ended by an exception (``experiment.interrupts``).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from experiment.interrupts import watch_signals


class Stop(threading.Event):
    """Whether the process was told to stop. A program that asks this has noticed the signal, and ends in its own time.

    Attributes:
        leave_nothing: called before a second signal ends the process at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.leave_nothing: Callable[[], None] = lambda: None
        self._noticed, self._finishing = False, 0

    def is_set(self) -> bool:
        self._noticed |= super().is_set()
        return self._noticed

    def wait(self, timeout: float | None = None) -> bool:
        self._noticed |= super().wait(timeout)
        return self._noticed

    @contextlib.contextmanager
    def finish_first(self) -> Iterator[None]:
        """Lets the block be finished, although the process is told to stop meanwhile."""
        self._finishing += 1
        try:
            yield
        finally:
            self._finishing -= 1

    @property
    def is_awaited(self) -> bool:
        """Whether the program has noticed the signal, or finishes something first."""
        return self._noticed or self._finishing > 0


def stop_on_signals(stop: Stop) -> None:
    """Makes signals set ``stop``. A program that does not notice is ended; a second signal ends it at once."""
    watch_signals(lambda *_: stop.set(), lambda: stop.is_awaited, before_end=lambda: stop.leave_nothing())
