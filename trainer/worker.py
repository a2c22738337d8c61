"""The warm worker: it reads indexes of cells from standard input and writes records to standard output until ``quit``.

If the input ends without ``quit``, the launcher has died, and the worker stops as on SIGTERM.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import IO

from experiment import records
from experiment.errors import ExperimentError, Interrupted, describe_error, refuse
from experiment.records import Outcome, Progress, Turn
from experiment.run import Run

QUIT = "quit"
LOOK_SECONDS = 0.2  # after which an idle worker checks whether it was told to stop


def answer_indexes(
    run: Run, lines: IO[str], out: IO[str], stop: threading.Event, attempt: Callable[[int], str]
) -> None:
    """Tries the cells whose indexes are read from ``lines``, and writes one outcome to ``out`` for each.

    Args:
        attempt: tries the cell of an index and returns ``committed``, ``found`` or ``held``; raises if it failed.

    Raises:
        Interrupted: the worker was told to stop, or the input ended without ``quit``.
    """
    waiting: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(lines, waiting, stop), daemon=True).start()
    while (line := _next(waiting, stop)) != QUIT:
        index = parse_index(line, run)
        tell_launcher(out, _outcome(index, run.grid.cells[index].id, attempt), stop)


def tell_launcher(out: IO[str], record: Turn | Progress | Outcome, stop: threading.Event) -> None:
    """Writes a record to ``out`` as a line. Where nobody reads any more, the launcher has died: sets ``stop``, no error.

    An error here would be recorded as a failure of the cell that is being trained.
    """
    try:
        out.write(records.to_line(record) + "\n")
        out.flush()
    except BrokenPipeError:
        stop.set()


def _listen(lines: IO[str], waiting: queue.Queue[str], stop: threading.Event) -> None:
    for line in lines:
        waiting.put(line.strip())
        if line.strip() == QUIT:
            return
    stop.set()


def _next(waiting: queue.Queue[str], stop: threading.Event) -> str:
    while not stop.is_set():
        with contextlib.suppress(queue.Empty):
            return waiting.get(timeout=LOOK_SECONDS)
    raise Interrupted("the worker was told to stop; launch again to go on")


def parse_index(line: str, run: Run) -> int:
    """Returns the index that a launcher gives.

    Raises:
        InvalidInput: no cell has it.
    """
    count = len(run.grid.cells)
    if not line.isascii() or not line.isdigit() or int(line) >= count:
        raise refuse("the index", line, f"0 to {count - 1}, or {QUIT}", "correct the launcher")
    return int(line)


def _outcome(index: int, cell: str, attempt: Callable[[int], str]) -> Outcome:
    try:
        return Outcome(index=index, cell=cell, state=attempt(index))
    except Interrupted:
        raise
    except ExperimentError as error:
        return Outcome(index=index, cell=cell, state="failed", kind=error.kind, message=describe_error(error))
    except Exception as error:  # noqa: BLE001 - an unforeseen error of one cell must not end the worker
        return Outcome(index=index, cell=cell, state="failed", kind=ExperimentError.kind, message=describe_error(error))
