"""Stopping a training on SIGTERM or Ctrl-C: it looks for the signal and saves a checkpoint, or is ended within two seconds.

``experiment.interrupts`` ends programs that have nothing to save, by an exception.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator

from experiment.errors import Interrupted

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE_SECONDS = 1.2  # for the program to notice a signal before it is ended
TOLD = "told to stop; what came so far is kept, and the same command goes on"


class Stop(threading.Event):
    """Whether the process was told to stop. The part of the program that asks has noticed it, and ends in its own time."""

    def __init__(self) -> None:
        super().__init__()
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
        """Whether the program has noticed it, or finishes something first."""
        return self._noticed or self._finishing > 0


def stop_on_signals(stop: Stop) -> None:
    """From now on SIGTERM and Ctrl-C set ``stop``; a program that does not notice is ended, and by a second signal at once."""
    receive, send = os.pipe()
    os.set_blocking(send, False)
    for number in SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    signal.set_wakeup_fd(send, warn_on_full_buffer=False)  # written at once, though the main thread is in a library
    threading.Thread(target=_watch, args=(receive, stop), daemon=True).start()


def _watch(receive: int, stop: Stop) -> None:
    os.read(receive, 1)
    again, _, _ = select.select([receive], [], [], GRACE_SECONDS)
    while not again and stop.is_awaited:
        again, _, _ = select.select([receive], [], [], 0.1)
    sys.stderr.write(f"error: {TOLD}\n")
    sys.stderr.flush()
    os._exit(Interrupted.exit_code)
