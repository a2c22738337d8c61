"""The end of a program by SIGTERM, SIGHUP or Ctrl-C: within two seconds and with exit code 143, whatever it is doing."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from experiment.errors import Interrupted

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
GRACE = 1.2  # seconds that a program has to end by itself: a call into the system or a thread may hold it
KEPT = "what is done so far is kept, and the same command goes on"


@contextlib.contextmanager
def interrupted_by_signals(kept: str = KEPT) -> Iterator[None]:
    """Ends the block on a signal, and the whole process where the block has not ended after ``GRACE`` seconds.

    Args:
        kept: what the message says of the work so far.

    Raises:
        Interrupted: a signal came.
    """
    if threading.current_thread() is not threading.main_thread():  # only there Python handles signals
        yield
        return
    received: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    with restored_signals(), _repeated_where_lost(received):
        stop_watching = watch_signals(interrupt, lambda: False, kept)
        try:
            yield
        except KeyboardInterrupt:
            raise Interrupted(_explain(received[0] if received else None, kept)) from None
        finally:
            stop_watching()


def watch_signals(
    act: Callable[[int, FrameType | None], object],
    is_ending: Callable[[], bool],
    kept: str = KEPT,
    before_end: Callable[[], None] = lambda: None,
) -> Callable[[], None]:
    """From now on a signal calls ``act``; a process that is not ending ``GRACE`` seconds later is ended, as by a second signal.

    Args:
        before_end: called before the process is ended so.

    Returns:
        a function that ends the watch; the handlers stay.
    """
    receive, send = os.pipe()
    os.set_blocking(send, False)
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(number, act)
    # The system writes to the pipe at once, also while the main thread is in a call that knows nothing of signals.
    signal.set_wakeup_fd(send, warn_on_full_buffer=False)
    threading.Thread(target=_end_late_process, args=(receive, is_ending, kept, before_end), daemon=True).start()

    def stop_watching() -> None:
        signal.set_wakeup_fd(-1)
        os.close(send)

    return stop_watching


def _end_late_process(receive: int, is_ending: Callable[[], bool], kept: str, before_end: Callable[[], None]) -> None:
    with os.fdopen(receive, "rb", buffering=0) as pipe:
        while (number := pipe.read(1)) and number[0] not in SIGNALS:
            pass
        ready, _, _ = select.select([pipe], [], [], GRACE)
        while not ready and is_ending():
            ready, _, _ = select.select([pipe], [], [], 0.1)
        if not number or (ready and not pipe.read(1)):  # the watch has ended, and closed the other end
            return
    before_end()
    with contextlib.suppress(OSError):  # nobody may be reading any more
        os.write(2, f"error: {_explain(number[0], kept)}\n".encode())
    os._exit(Interrupted.exit_code)


@contextlib.contextmanager
def _repeated_where_lost(received: list[int]) -> Iterator[None]:
    """Repeats a signal that came during a finalizer or a ``weakref`` callback: Python drops what these raise."""
    before = sys.unraisablehook
    repeats: list[threading.Timer] = []

    def look(lost: Any) -> None:
        if not received or not isinstance(lost.exc_value, KeyboardInterrupt):
            before(lost)
            return
        signal.set_wakeup_fd(-1)  # for the watch this is no second signal
        repeats.append(threading.Timer(0.02, signal.pthread_kill, (threading.main_thread().ident, received[0])))
        repeats[-1].start()

    sys.unraisablehook = look
    try:
        yield
    finally:
        for repeat in repeats:
            repeat.cancel()
        sys.unraisablehook = before


def _explain(number: int | None, kept: str) -> str:
    return f"stopped by {signal.Signals(number).name if number else 'its caller'}; {kept}"


def end_interrupted_process() -> None:
    """Ends the process with 143 without waiting for the threads that it has left behind; prints what it has to say."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(Interrupted.exit_code)


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
