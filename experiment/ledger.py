"""The ledger of a store: committed cells, failures and progress. A damaged record is named, and the others are read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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


def read_ledger(store: Store, cells: Collection[Cell]) -> Ledger:
    """Returns the state of these cells in the store. Records of committed cells are not read."""
    committed = committed_ids(store, cells)
    missing = [c.id for c in cells if c.id not in committed]
    failures, damaged_failures = read_failures(store, missing)
    progress, damaged_progress = read_progress(store, missing)
    problems = (*damaged_failures, *damaged_progress)
    return Ledger(committed=frozenset(committed), failures=failures, progress=progress, problems=problems)


def committed_ids(store: Store, cells: Iterable[Cell]) -> set[str]:
    """Returns the ids of the committed cells among these."""
    wanted = {c.id: keys.results_folder(c.dataset, c.method) for c in cells}
    listed = map_parallel(store, lambda folder: list(store.list(folder)), sorted(set(wanted.values())))
    return keys.committed(key for found in listed for key in found) & wanted.keys()


def read_failures(store: Store, cell_ids: Collection[str]) -> tuple[dict[str, list[Failure]], list[Problem]]:
    """Returns the failure records of these cells by cell, oldest first, and the records that cannot be read."""
    wanted = set(cell_ids)
    listed = store.list(keys.FAILURES) if wanted else ()
    own = {key: named[0] for key in listed if (named := keys.attempt_of(key)) and named[0] in wanted}
    records_read, problems = _read_records(store, own, Failure)
    found: dict[str, list[Failure]] = {}
    for failure in sorted(records_read, key=lambda f: f.time):
        found.setdefault(failure.cell, []).append(failure)
    return found, problems


def read_progress(store: Store, cell_ids: Collection[str]) -> tuple[dict[str, Progress], list[Problem]]:
    """Returns the last progress records of these cells by cell, and the records that cannot be read."""
    wanted = set(cell_ids)
    listed = store.list(keys.PROGRESS) if wanted else ()
    own = {key: cell for key in listed if (cell := keys.progress_of(key)) in wanted and cell is not None}
    records_read, problems = _read_records(store, own, Progress)
    return {p.cell: p for p in records_read}, problems


def _read_records(store: Store, own: Mapping[str, str], kind: type[R]) -> tuple[list[R], list[Problem]]:
    """Returns the records of one kind under the keys of ``own`` (key to cell), and those that cannot be read."""

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

    found = map_parallel(store, read, own)
    return [r for r in found if isinstance(r, kind)], [r for r in found if isinstance(r, Problem)]
