"""Lists the results of a store. A folder that cannot be listed is named, and the rest is listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from experiment import keys
from experiment.cell import METHODS, Cell
from experiment.datasets import DATASETS
from experiment.errors import ExperimentError, InvalidInput, NotFound, describe_error
from experiment.ledger import Problem
from experiment.parallel import map_parallel
from experiment.store import Store

REFUSED = (InvalidInput, NotFound)  # a folder without rights, or behind a broken link


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The keys of a store's results, and the folders that could not be listed.

    Attributes:
        problems: one for each folder or, where the cells are known, for each cell of such a folder.
    """

    found: frozenset[str]
    problems: tuple[Problem, ...] = ()

    def commits(self, cells: Sequence[Cell] | None) -> list[str]:
        """The keys of ``epochs.parquet`` of these cells, in their order, or of all."""
        if cells is None:
            return [key for key in self.found if keys.committed([key])]
        return [key for key in map(keys.epochs, cells) if key in self.found]


def list_results(store: Store, cells: Sequence[Cell] | None = None) -> Listing:
    """Returns the keys of a store's results; ``cells`` are those that are asked about, if not all.

    Raises:
        ExperimentError: the store cannot be reached, or no folder of the results can be listed.
    """
    try:
        return Listing(found=frozenset(store.list(keys.RESULTS)))
    except REFUSED as error:
        return _list_folders(store, cells, error)


def _list_folders(store: Store, cells: Sequence[Cell] | None, refusal: ExperimentError) -> Listing:
    prepared = keys.prepared_datasets(_found(_list(store, keys.DATASETS)))
    names = dict.fromkeys([*DATASETS, *sorted(prepared)])  # those of the user's own, too
    pairs = [(d, m) for d in names for m in METHODS] if cells is None else [(c.dataset, c.method) for c in cells]
    answers = {folder: _list(store, folder) for folder in dict.fromkeys(keys.results_folder(*p) for p in pairs)}
    refused = {folder: answer for folder, answer in answers.items() if isinstance(answer, ExperimentError)}
    if len(refused) == len(answers):
        raise refusal
    found = {key for answer in answers.values() for key in _found(answer)}
    if not refused:  # then it is something else under results/ that cannot be listed
        return Listing(found=frozenset(found), problems=(_problem(keys.RESULTS, refusal),))
    if cells is None:
        return Listing(found=frozenset(found), problems=tuple(_problem(*item) for item in refused.items()))
    hidden = [c for c in cells if keys.results_folder(c.dataset, c.method) in refused]
    problems = []
    for cell, answer in zip(
        hidden,
        map_parallel(store, lambda c: _list(store, keys.results_folder(c.dataset, c.method, c.id)), hidden),
        strict=True,
    ):
        if isinstance(answer, ExperimentError):
            problems.append(_problem(keys.epochs(cell), answer, cell.id))
        else:
            found.update(answer)
    return Listing(found=frozenset(found), problems=tuple(problems))


def _list(store: Store, prefix: str) -> list[str] | ExperimentError:
    try:
        return list(store.list(prefix))
    except REFUSED as error:
        return error


def _found(answer: list[str] | ExperimentError) -> list[str]:
    return [] if isinstance(answer, ExperimentError) else answer


def _problem(key: str, error: ExperimentError, cell: str = "") -> Problem:
    return Problem(key=key, reason=describe_error(error), cell=cell)
