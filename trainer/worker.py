"""The warm worker: cells by index from standard input, records on standard output, until it is told to quit.

End of input without ``quit`` means that the launcher died: the worker then stops as on SIGTERM.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import IO

from experiment import records
from experiment.errors import ExperimentError, Interrupted, InvalidInput, describe_error
from experiment.records import Outcome
from experiment.run import Run

QUIT = "quit"
LOOK_SECONDS = 0.2  # between two looks of an idle worker at whether it was told to stop


def serve(frozen: Run, lines: IO[str], out: IO[str], stop: threading.Event, attempt: Callable[[int], str]) -> None:
    """Tries the cells whose indexes come in; writes exactly one outcome for each.

    Args:
        attempt: index -> committed, found or held; raises what ended it otherwise.

    Raises:
        Interrupted: told to stop, or the input ended without ``quit``.
    """
    waiting: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(lines, waiting, stop), daemon=True).start()
    while (line := _next(waiting, stop)) != QUIT:
        index = _index(line, frozen)
        outcome = _outcome(index, frozen.grid.cells[index].id, attempt)
        out.write(records.to_line(outcome) + "\n")
        out.flush()


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


def _index(line: str, frozen: Run) -> int:
    count = len(frozen.grid.cells)
    if not line.isascii() or not line.isdigit() or int(line) >= count:
        raise InvalidInput(f"the index is {line!r}; allowed: 0 to {count - 1}, or {QUIT}; correct the launcher")
    return int(line)


def _outcome(index: int, cell: str, attempt: Callable[[int], str]) -> Outcome:
    try:
        return Outcome(index=index, cell=cell, state=attempt(index))
    except Interrupted:
        raise
    except ExperimentError as error:
        return Outcome(index=index, cell=cell, state="failed", kind=error.kind, message=describe_error(error))
    except Exception as error:  # noqa: BLE001 - one cell's unforeseen error must not cost the others
        return Outcome(index=index, cell=cell, state="failed", kind=ExperimentError.kind, message=describe_error(error))
