"""The ledger of a store: committed cells, failures and progress. A damaged record is named, and the others are read."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from experiment import keys, records
from experiment.cell import Cell
from experiment.errors import ExperimentError, NotFound, describe_error
from experiment.parallel import map_parallel
from experiment.records import Failure, Progress
from experiment.store import Store

# The states of a cell, with the same names in status, plan, report and JSON.
DONE = "done"  # its result is in the store
RUNNING = "running"  # an attempt trains it
WAITING = "waiting"  # a Job has it, and no attempt trains it at present
FAILED = "failed"  # its last attempt failed
MISSING = "missing"  # it has no result, and no Job or attempt is known to have it
UNREADABLE = "unreadable"  # its result is in the store but cannot be used
CELL_STATES = (DONE, RUNNING, WAITING, FAILED, MISSING, UNREADABLE)

R = TypeVar("R", Failure, Progress)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An object of the store that is damaged, foreign or absent.

    Attributes:
        reason: what is wrong with it, in one line.
        cell: the id of its cell, where it is known.
        absent: whether the object does not exist.
    """

    key: str
    reason: str
    cell: str = ""
    absent: bool = False


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The state of some cells in a store.

    Attributes:
        committed: ids of the cells whose result is in the store.
        failures: the failure records of each cell without a result, oldest first.
        progress: the last progress record of each cell without a result.
        problems: the records that cannot be read.
    """

    committed: frozenset[str]
    failures: Mapping[str, Sequence[Failure]]
    progress: Mapping[str, Progress]
    problems: tuple[Problem, ...] = ()


class LedgerReader:
    """Reads the state of some cells again and again, and what cannot change any more only once: commits and failures.

    Args:
        progress_seconds: age up to which a progress record is not read again.
    """

    def __init__(
        self,
        store: Store,
        cells: Iterable[Cell],
        *,
        progress_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._cells = store, list(cells)
        self._progress_seconds, self._clock, self._told = progress_seconds, clock, float("-inf")
        self._progress: tuple[dict[str, Progress], list[Problem]] = ({}, [])
        self._committed: set[str] = set()
        self._failures: dict[str, Failure] = {}

    def read_committed(self) -> frozenset[str]:
        """Returns the ids of the committed cells. Only those are looked for that were not committed before."""
        self._committed |= committed_ids(self._store, (c for c in self._cells if c.id not in self._committed))
        return frozenset(self._committed)

    def read(self) -> Ledger:
        """Returns the state of the cells. Records of committed cells are not read."""
        committed = self.read_committed()
        missing = [c.id for c in self._cells if c.id not in committed]
        failures, damaged = read_failures(self._store, missing, self._failures)
        if self._clock() - self._told >= self._progress_seconds:
            self._progress, self._told = read_progress(self._store, missing), self._clock()
        progress, damaged_progress = self._progress
        return Ledger(
            committed=committed,
            failures=failures,
            progress={cell: record for cell, record in progress.items() if cell not in committed},
            problems=(*damaged, *(p for p in damaged_progress if p.cell not in committed)),
        )


def read_ledger(store: Store, cells: Collection[Cell]) -> Ledger:
    """Returns the state of these cells in the store. Records of committed cells are not read."""
    return LedgerReader(store, cells).read()


def committed_ids(store: Store, cells: Iterable[Cell]) -> set[str]:
    """Returns the ids of the committed cells among these."""
    return keys.committed(store.find(map(keys.epochs, cells)))


def read_failures(
    store: Store, cell_ids: Collection[str], known: dict[str, Failure] | None = None
) -> tuple[dict[str, list[Failure]], list[Problem]]:
    """Returns the failure records of these cells by cell, oldest first, and the records that cannot be read.

    Args:
        known: records by key that were read before and are not read again; the new ones are added.
    """
    known = {} if known is None else known
    listed = store.find(keys.folder(keys.FAILURES, cell) for cell in cell_ids)
    own = {key: named[0] for key in listed if (named := keys.attempt_of(key))}
    read, problems = _read_records(store, {key: cell for key, cell in own.items() if key not in known}, Failure)
    known.update(read)
    found: dict[str, list[Failure]] = {}
    for failure in sorted((known[key] for key in own if key in known), key=lambda f: f.time):
        found.setdefault(failure.cell, []).append(failure)
    return found, problems


def read_progress(store: Store, cell_ids: Collection[str]) -> tuple[dict[str, Progress], list[Problem]]:
    """Returns the last progress records of these cells by cell, and the records that cannot be read."""
    own = {key: cell for key in store.find(map(keys.progress, cell_ids)) if (cell := keys.progress_of(key))}
    records_read, problems = _read_records(store, own, Progress)
    return {p.cell: p for p in records_read.values()}, problems


def _read_records(store: Store, own: Mapping[str, str], kind: type[R]) -> tuple[dict[str, R], list[Problem]]:
    """Returns the records of one kind by key, of the keys of ``own`` (key to cell), and those that cannot be read."""

    def read(key: str) -> R | Problem | None:
        try:
            record = records.parse_record(store.read(key), f"{store.url}/{key}")
        except NotFound:
            return None  # removed since it was listed: its cell was committed
        except ExperimentError as error:
            return Problem(key=key, cell=own[key], reason=describe_error(error))
        if isinstance(record, kind) and record.cell == own[key]:
            return record
        reason = f"it is not a {kind.__name__.lower()} record of cell {own[key]}; remove it"
        return Problem(key=key, cell=own[key], reason=reason)

    found = dict(zip(own, map_parallel(store, read, own), strict=True))
    whole = {key: answer for key, answer in found.items() if isinstance(answer, kind)}
    return whole, [answer for answer in found.values() if isinstance(answer, Problem)]
