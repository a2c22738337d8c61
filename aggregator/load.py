"""``load(url)``: the results of a store or of one run as a tidy DataFrame; ``load_predictions``, ``load_models``: what belongs to them.

The modules that import pandas are imported by the call, not with the package: they take a second, and what they read from
the environment is decided first where a program imports them (``aggregator.environment``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from experiment import artifacts, keys, urls
from experiment.errors import InvalidInput, Misconfigured, NotFound, refuse
from experiment.ledger import Problem
from experiment.run import Run, open_run
from experiment.store import Store, open_store

if TYPE_CHECKING:
    import pandas as pd

    from aggregator.reading.epochs import Results

MOST_NAMED = 5  # problems that an error names


def load(url: str | os.PathLike[str], *, strict: bool = True) -> pd.DataFrame:
    """Returns one row per cell, epoch and model, with the columns that docs/results.md describes.

    Args:
        url: a store (a directory, ``file://`` or ``s3://bucket/prefix``) for all its results; or ``STORE/runs/RUN`` for
            those of one run.
        strict: whether a file or folder that cannot be used, or a cell whose rows contradict themselves, is an error. If
            not, it is left out and named in ``frame.attrs["problems"]``.

    Raises:
        InvalidInput: there is no such store or run, or (if strict) a file or folder cannot be used.
    """
    from aggregator.reading.commits import list_results
    from aggregator.reading.epochs import drop_cells, read_epochs, to_frame
    from aggregator.reading.rows import find_contradictions, find_row_problems

    store, run = open_results(os.fspath(url))
    cells = None if run is None else run.grid.cells
    listing = list_results(store, cells)
    by_id = {c.id: c for c in cells or ()}
    found = read_epochs(store, sorted(listing.commits(cells)), cells=by_id)
    frame = to_frame(found.epochs)
    wrong = [*find_contradictions(frame, by_id), *find_row_problems(frame)]
    problems = [*listing.problems, *found.problems, *wrong]
    if problems and strict:
        raise InvalidInput(_name_problems(problems))
    frame = drop_cells(frame, {p.cell for p in wrong})
    frame.attrs["problems"] = [f"{p.key}: {p.reason}" for p in problems]
    return frame


def load_predictions(
    url: str | os.PathLike[str], cells: str | Iterable[str] | None = None, *, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Returns predictions on the test set after the last epoch: one row per cell, model and example.

    They are those that the cells' commits name, checked against their digests. The store is listed once.

    Args:
        url: a store, or one of its runs, as ``load`` takes it.
        cells: the id of a cell, or several, whose order is kept; by default all cells of the store or run.
        columns: the columns to keep, by default all. Logits take most of the memory: 10 numbers a row.

    Raises:
        NotFound: the store has no result of a cell, or no predictions with it.
        InvalidInput: a file cannot be used, or there is no such column.
    """
    from aggregator.reading.epochs import to_frame
    from aggregator.reading.many_predictions import read_tables
    from experiment.columns import PREDICTIONS

    if unknown := set(columns or ()) - set(PREDICTIONS.names):
        raise refuse("a column of predictions", min(unknown), ", ".join(PREDICTIONS.names), "correct columns")
    store, run = open_results(os.fspath(url))
    ids = None if cells is None else list(dict.fromkeys([cells] if isinstance(cells, str) else cells))
    return to_frame(read_tables(store, _read_commits(store, ids, run), ids, columns))


def load_models(url: str | os.PathLike[str], cell_id: str) -> dict[str, bytes]:
    """Returns the trained members of one cell by name, each as the content of a ``.keras`` file.

    They are those that the cell's commit names, checked against its digests.

    Raises:
        NotFound: the store has no result of that cell, or lacks a member.
        InvalidInput: a file cannot be used.
    """
    store, _ = open_results(os.fspath(url))
    found = _read_commits(store, [cell_id])
    commit = keys.epochs_of(*(found.epochs[name][0].as_py() for name in ("dataset", "method", "cell_id")))
    facts, members = found.provenance[cell_id], found.epochs["members"][0].as_py().split("+")
    return {m: artifacts.read_named(store, facts, keys.model(cell_id, m), commit)[0] for m in members}


def _read_commits(store: Store, ids: Sequence[str] | None, run: Run | None = None) -> Results:
    """Returns what the commits of these cells hold; without ids of all cells of the run, or of the store."""
    from aggregator.reading.commits import list_results
    from aggregator.reading.epochs import read_epochs

    listing = list_results(store)
    commits = sorted(listing.commits(run.grid.cells if run and ids is None else None))
    wanted = commits if ids is None else [key for key in commits if keys.committed([key]) & set(ids)]
    found = read_epochs(store, wanted)
    missing = [cell for cell in ids or () if cell not in found.provenance]
    if (missing or ids is None) and (problems := [*listing.problems, *found.problems]):
        raise InvalidInput(_name_problems(problems))
    if missing:
        raise NotFound(f"{store.url} holds no result of cell {missing[0]!r}; take an id from load(...)['cell_id']")
    return found


def open_results(url: str) -> tuple[Store, Run | None]:
    """Opens a run with its store, or a store. ``X/runs/NAME`` may be either: a folder called runs may hold stores.

    Raises:
        InvalidInput: there is no such store or run.
    """
    if url.startswith(keys.RUNS):
        url = f"./{url}"  # of the working directory, which may be a store
    try:
        place, name = urls.split_run_url(url)
    except InvalidInput:
        whole = open_store(url)
        if _is_used(whole):
            return whole, None
        allowed = f"a place that holds {keys.RUNS} or {keys.RESULTS}"
        raise refuse("the store", url, allowed, "give the --store of a launch, or one of its runs") from None
    if not _holds_run(place, name) and (store := _find_store(url)):
        return store, None
    return open_run(url)


def _holds_run(place: str, name: str) -> bool:
    try:
        return open_store(place).exists(keys.grid(name))
    except (InvalidInput, NotFound):
        return False  # no store, or no right to look into it


def _find_store(url: str) -> Store | None:
    """Returns the store at a URL if there is one that anything was launched or committed in."""
    try:
        store = open_store(url)
    except InvalidInput:
        return None
    return store if _is_used(store) else None


def _is_used(store: Store) -> bool:
    """Returns whether anything was launched or committed in a store. What cannot be listed is something."""
    try:
        return any(any(store.list(prefix)) for prefix in (keys.RUNS, keys.RESULTS))
    except Misconfigured:
        raise
    except InvalidInput:
        return True


def _name_problems(problems: Sequence[Problem]) -> str:
    named = "; ".join(f"{p.key}: {p.reason}" for p in problems[:MOST_NAMED])
    more = f"; and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
    advice = "load(url, strict=False) leaves out what cannot be used"
    return f"{len(problems)} results cannot be used as they are: {named}{more}; {advice}"
