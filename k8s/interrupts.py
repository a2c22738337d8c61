"""Ends a program on SIGTERM and Ctrl-C: within two seconds and with exit code 143, whatever it waits for."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

from experiment.errors import Interrupted

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE = 1.5  # seconds that a program has to end by itself: a call into the system or a thread may hold it
KEPT = "what is done so far is kept, and the same command goes on"


@contextlib.contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Ends the block on a signal, and the whole process where the block has not ended after ``GRACE`` seconds.

    Raises:
        Interrupted: a signal came.
    """
    if threading.current_thread() is not threading.main_thread():  # only there Python handles signals
        yield
        return
    received: list[int] = []

    def interrupt(number: int, _: object) -> None:
        received.append(number)
        if len(received) > 1:
            os._exit(Interrupted.exit_code)
        raise KeyboardInterrupt

    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    ended = threading.Event()
    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    before_fd = signal.set_wakeup_fd(
        writer, warn_on_full_buffer=False
    )  # written though the main thread is in a library
    threading.Thread(target=_end_process, args=(reader, ended), daemon=True).start()
    try:
        yield
    except KeyboardInterrupt:
        name = signal.Signals(received[0]).name if received else "its caller"
        raise Interrupted(f"stopped by {name}; {KEPT}") from None
    finally:
        ended.set()
        signal.set_wakeup_fd(before_fd)
        os.close(writer)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_process(reader: int, ended: threading.Event) -> None:
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while number := pipe.read(1):  # nothing more is read once the block has ended and closed the other end
            if number[0] in SIGNALS and not ended.wait(GRACE):
                sys.stderr.write(f"error: stopped by {signal.Signals(number[0]).name}; {KEPT}\n")
                sys.stderr.flush()
                os._exit(Interrupted.exit_code)


def end_process(code: int) -> NoReturn:
    """Leaves the program with this exit code; an interrupted one does not wait for threads that it has left behind."""
    if code == Interrupted.exit_code:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


@contextlib.contextmanager
def restored_signals() -> Iterator[None]:
    """Puts the handlers of signals back after a block that installs its own, as an event loop does."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    before_fd = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before_fd)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_fd)
