"""The end of a program by SIGTERM or Ctrl-C, within two seconds whatever it is doing."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import NoReturn

from experiment.errors import Interrupted

GRACE = 1.0  # seconds to clean up in; a thread that waits for a network may take longer


def end_on_signals(message: str) -> None:
    """From now on SIGTERM and Ctrl-C print a line on stderr and raise KeyboardInterrupt in the main thread.

    A process that has not ended ``GRACE`` seconds later is ended. To be called once, by a program, in its main thread.
    """
    first = threading.Lock()

    def say_once() -> None:
        if first.acquire(blocking=False):
            with contextlib.suppress(OSError):  # nobody may be reading any more
                os.write(2, f"{message}\n".encode(errors="backslashreplace"))

    def interrupt(*_: object) -> NoReturn:
        say_once()
        raise KeyboardInterrupt

    def end_process() -> None:
        os.read(receiving, 1)
        time.sleep(GRACE)
        say_once()
        os._exit(Interrupted.exit_code)

    receiving, sending = os.pipe()
    os.set_blocking(sending, False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)
    # The system writes to the pipe at once, also while the main thread is in a call that knows nothing of signals.
    signal.set_wakeup_fd(sending, warn_on_full_buffer=False)
    threading.Thread(target=end_process, daemon=True).start()
