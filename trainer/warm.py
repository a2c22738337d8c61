"""One warm worker as its parent sees it: a process that is given indexes of cells and answers with records.

It has a session of its own: a Ctrl-C in the terminal reaches its parent alone, which tells it to stop.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from experiment import records
from experiment.errors import InvalidInput
from experiment.records import Outcome, Progress
from trainer.worker import QUIT

GRACE = 10.0  # seconds in which a worker without a cell ends


class Died(Exception):
    """The worker ended before it said how its cell ended.

    Attributes:
        code: its exit code; negative: the signal that killed it.
        answered: whether it had said anything before.
        last_words: the last line that it wrote on standard error.
    """

    def __init__(self, code: int, last_words: str, *, answered: bool) -> None:
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        hint = " (out of memory?)" if code == -signal.SIGKILL else ""
        self.code, self.answered, self.last_words = code, answered, last_words
        super().__init__(f"its worker {how}{hint}" + f": {last_words}" * bool(last_words))


class WarmWorker:
    """A running worker; one thread at a time asks it."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command,
            env=dict(environ),
            encoding="utf-8",
            errors="replace",
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._in, self._out = self._process.stdin, self._process.stdout
        self._last_words, self._answered, self._is_told = "", False, False
        self._listener = threading.Thread(target=self._pass_on, args=(self._process.stderr,), daemon=True)
        self._listener.start()

    def train(self, index: int, show: Callable[[Progress], None]) -> Outcome:
        """Has the cell trained and returns its outcome; ``show`` is called with its progress.

        Raises:
            Died: the process ended first.
        """
        self._tell(str(index))
        for line in self._out:
            try:
                record = records.parse_record(line, "a line of the worker")
            except InvalidInput:
                continue  # a library printed to standard output
            self._answered = True
            if isinstance(record, Progress):
                show(record)
            if isinstance(record, Outcome) and record.index == index:
                return record
        code = self._process.wait()
        self._listener.join()
        raise Died(code, self._last_words, answered=self._answered)

    def stop(self) -> None:
        """Tells the worker to save its checkpoint and end; once: a second signal would end it before it has."""
        if self._is_told:
            return
        self._is_told = True
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kills the worker and all that it started; returns when it is gone."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def end(self) -> None:
        """Has a worker end that has no cell; returns when it has."""
        late = threading.Timer(GRACE, self.kill)
        late.daemon = True
        late.start()
        self._tell(QUIT)
        with contextlib.suppress(OSError):
            self._in.close()
        for _ in self._out:  # a process whose pipe is full cannot end
            pass
        self._process.wait()
        late.cancel()
        self._listener.join()
        self._out.close()

    def _tell(self, word: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # it has died: reading says how
            self._in.write(f"{word}\n")
            self._in.flush()

    def _pass_on(self, lines: IO[str]) -> None:
        """Prints on standard error what the worker prints there."""
        with lines:
            for line in lines:
                with contextlib.suppress(OSError):  # nobody reads any more; the worker must not wait for that
                    print(line, end="", file=sys.stderr, flush=True)
                self._last_words = " ".join(line.split()) or self._last_words
