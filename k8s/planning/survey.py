"""Reads what the store holds of a grid: every result verified, and the last failure of every cell without one."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow.compute as pc

from experiment import keys, records, results
from experiment.cell import Cell
from experiment.errors import ExperimentError, InvalidInput, describe_error
from experiment.grid import Grid
from experiment.ledger import Problem, committed_ids, read_failures
from experiment.local_store import is_missing
from experiment.parallel import map_parallel
from experiment.provenance import read_provenance
from experiment.records import Throughput
from experiment.store import Store, store_directory
from k8s.planning.plan import DoneCell, Plan


def survey_store(store: Store, grid: Grid, *, retry_diverged: bool) -> Plan:
    """Returns the plan for this grid from what the store holds of it.

    Raises:
        InvalidInput: some results are damaged, foreign or of another schema.
    """
    done = done_cells(store, grid.cells)
    failures, problems = read_failures(store, [c.id for c in grid.cells if c.id not in done])
    last = {cell: found[-1] for cell, found in failures.items()}
    speeds, foreign = read_speeds(store)
    return Plan(
        grid=grid,
        done=done,
        failures=last,
        problems=(*problems, *foreign),
        speeds=tuple(speeds),
        retry_diverged=retry_diverged,
    )


def store_is_absent(url: str) -> bool:
    """Returns whether the store is a directory that does not exist: a plan must not make it."""
    directory = store_directory(url)
    return directory is not None and is_missing(directory)


def why_unreachable(store: Store, run_name: str) -> str:
    """Returns why a remote store cannot be asked for a run: no credentials, no rights, no connection; empty if it can."""
    if store.local_path("") is None:
        try:
            store.exists(keys.grid(run_name))
        except ExperimentError as error:
            return describe_error(error)
    return ""


def read_speeds(store: Store) -> tuple[list[Throughput], list[Problem]]:
    """Returns the training speeds recorded in the store, and the objects among them that are no such record."""
    folder = [key for key in store.list(keys.THROUGHPUT) if not key.endswith("/")]  # some tools mark folders by objects
    found = map_parallel(store, lambda key: _read_speed(store, key), folder)
    return [f for f in found if isinstance(f, Throughput)], [f for f in found if isinstance(f, Problem)]


def _read_speed(store: Store, key: str) -> Throughput | Problem:
    try:
        record = records.parse_record(store.read(key), f"{store.url}/{key}")
    except ExperimentError as error:
        return Problem(key=key, reason=describe_error(error))
    is_speed = isinstance(record, Throughput)
    return record if is_speed else Problem(key=key, reason=f"{store.url}/{key} is not a record of a speed; remove it")


def done_cells(store: Store, cells: Iterable[Cell]) -> dict[str, DoneCell]:
    """Returns the cells that have a result, by id; each result is read whole.

    Raises:
        InvalidInput: some results are damaged, foreign or of another schema; the first is named, the others counted.
    """
    wanted = {c.id: c for c in cells}
    done = sorted(committed_ids(store, wanted.values()))
    answers = map_parallel(store, lambda cell: _verify(store, wanted[cell]), done)
    refused = [a for a in answers if isinstance(a, InvalidInput)]
    if refused:
        more = f" (and {len(refused) - 1} more like it)" if len(refused) > 1 else ""
        raise InvalidInput(f"{refused[0]}{more}")
    return {a.cell: a for a in answers if isinstance(a, DoneCell)}


def _verify(store: Store, cell: Cell) -> DoneCell | InvalidInput:
    key = keys.epochs(cell)
    source = f"{store.url}/{key}"
    try:
        table = results.from_bytes(store.read(key), "epochs", source)
        made = read_provenance(table.schema, source)
    except InvalidInput as error:
        return error
    ensemble = table.filter(pc.equal(table["model"], cell.models[-1]))
    if set(table["cell_id"].to_pylist()) != {cell.id} or ensemble.num_rows != cell.epochs:
        return InvalidInput(f"{source} does not hold the {cell.epochs} epochs of its cell; remove it and launch again")
    seconds = float(pc.sum(ensemble["seconds"]).as_py())
    speed = float(pc.mean(ensemble["images_per_second"]).as_py())
    return DoneCell(cell=cell.id, seconds=seconds, images_per_second=speed, device=str(made.get("device", "")))
