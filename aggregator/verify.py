"""``python -m aggregator.verify STORE``: proves that every committed cell of a store is whole, and names what is not."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from aggregator.environment import isolated_libraries
from aggregator.load import open_results
from experiment import keys, urls
from experiment.cell import Cell
from experiment.errors import InvalidInput, NotFound, describe_error
from experiment.interrupts import interrupted_by_signals
from experiment.ledger import Problem
from experiment.program import CommandLine, report_errors, run_program
from experiment.run import Run, read_run
from experiment.store import Store

if TYPE_CHECKING:
    from aggregator.reading.commits import Listing
    from aggregator.reading.proof import Proof

WHOLE, NOT_WHOLE = 0, 1
CELLS_AT_ONCE = 256  # whose rows are in memory together; of artifacts each thread holds one


def build_parser() -> argparse.ArgumentParser:
    """Returns the command's arguments."""
    about = "Proves that every committed cell of a store is whole, and names what is not. It changes nothing."
    p = CommandLine(prog="python -m aggregator.verify", description=about, allow_abbrev=False)
    p.add_argument("store", metavar="STORE", help="a directory or s3:// URL; STORE/runs/RUN for the cells of one run")
    p.add_argument("--run", metavar="RUN", help="only the cells of the run of this name")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Prints what is not whole, a line each, and a count; returns 0 if every committed cell is whole, else 1."""
    given = build_parser().parse_args(argv)
    return report_errors(lambda: _verify(given.store, given.run))


def _verify(url: str, run_name: str | None) -> int:
    with interrupted_by_signals("nothing was changed, and the same command begins anew"), isolated_libraries():
        store, run = open_results(urls.run_url(url.rstrip("/"), run_name) if run_name else url)
        return _print_proof(store, run)


def _print_proof(store: Store, run: Run | None) -> int:
    from aggregator.reading.commits import list_results
    from aggregator.reading.proof import prove_datasets

    cells = run.grid.cells if run else None
    listing = list_results(store, cells)
    commits = sorted(listing.commits(cells))
    _print_lines("fault", listing.problems)
    proof = _prove_commits(store, commits, {c.id: c for c in cells} if cells else _read_grids(store))
    datasets = prove_datasets(store, proof.trained_on)
    _print_lines("fault", datasets)
    _print_lines("note", [Problem(key=cell, reason=reason) for cell, reason in proof.unproved.items()])
    orphans = _find_orphans(store, listing, proof, None if cells is None else {c.id for c in cells})
    _print_lines("note", orphans)
    faults = [*listing.problems, *proof.problems, *datasets]
    committed = keys.committed(commits)
    broken = {p.cell for p in faults} & committed
    unproved = len(proof.unproved.keys() - broken)
    whole = len(committed) - len(broken) - unproved
    counts = f"{len(committed)} cells committed: {whole} whole, {unproved} not proved, {len(broken)} not whole"
    print(f"{store.url}: {counts}; {len(faults)} faults, {len(orphans)} objects of no commit")
    return NOT_WHOLE if faults else WHOLE


def _prove_commits(store: Store, commits: Sequence[str], known: Mapping[str, Cell]) -> Proof:
    """Proves batch after batch of cells, and prints each fault as it is found."""
    from aggregator.reading.proof import join_proofs, prove_cells

    proofs = []
    for i in range(0, len(commits), CELLS_AT_ONCE):
        proofs.append(prove_cells(store, commits[i : i + CELLS_AT_ONCE], known))
        _print_lines("fault", proofs[-1].problems)
    return join_proofs(proofs)


def _read_grids(store: Store) -> dict[str, Cell]:
    """Returns the cells of all runs of a store by id. What cannot be read of them proves nothing, and is named."""
    found: dict[str, Cell] = {}
    waiting = [keys.RUNS]
    while waiting:
        key = waiting.pop()
        try:
            if run := keys.run_of(key):
                found |= {c.id: c for c in read_run(store, run).grid.cells}
            else:
                waiting += filter(keys.run_of, store.list(key))
        except (InvalidInput, NotFound) as error:
            _print_lines("note", [Problem(key=key, reason=describe_error(error))])
    return found


def _find_orphans(store: Store, listing: Listing, proof: Proof, cells: set[str] | None) -> list[Problem]:
    from aggregator.reading.commits import REFUSED
    from aggregator.reading.orphans import find_orphans

    try:
        objects = {*listing.found, *store.list(keys.MODELS)}
    except REFUSED as error:  # then no model could be read either, and each is named as a fault
        _print_lines("note", [Problem(key=keys.MODELS, reason=describe_error(error))])
        objects = set(listing.found)
    return list(find_orphans(objects, named=proof.named, judged=proof.judged, cells=cells))


def _print_lines(kind: str, problems: Iterable[Problem]) -> None:
    for problem in problems:
        print(f"{kind}: {problem.key}: {problem.reason}", flush=True)


if __name__ == "__main__":
    run_program(main)
